"""Which of several messages is the newest by the number that it carries, where the order of
publishing does not say it (a snapshot behind the changes, two producers).

It knows how to find and compare numbers; it must never know what they count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from pytest_mqchaos.checkers.doubts import Doubt
from pytest_mqchaos.checkers.evidence.keys import record_of
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.history.identity import Identity, Spec
from pytest_mqchaos.history.index import Index

Version: TypeAlias = tuple[bool, Decimal, str]
"""Numbers by their value, all else as text, behind them."""


def versions(index: Index, spec: Spec, ids: Iterable[str]) -> dict[str, Version]:
    """The version of each of these messages that has one."""
    identity = Identity.parse(spec)
    found = {}
    for name in ids:
        row = index.first.get(name) or next(iter(index.stories.stored.get(name, ())), None)
        said = identity.of(record_of(row)) if row is not None else ()
        if said:
            found[name] = _version(said[0])
    return found


def _version(text: str) -> Version:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return True, Decimal(0), text
    return (False, value, "") if value.is_finite() else (True, Decimal(0), text)


def newest(known: Mapping[str, Version], ids: Iterable[str]) -> list[str]:
    """Those of `ids` that have the highest version."""
    named = [name for name in ids if name in known]
    highest = max((known[name] for name in named), default=None)
    return sorted(name for name in named if known[name] == highest)


def unversioned(known: Mapping[str, Version], ids: Iterable[str]) -> list[Doubt]:
    """The doubt about messages without a version: any of them may be the newest."""
    loose = sorted(name for name in ids if name not in known)
    if not loose:
        return []
    return [
        Doubt(
            sentence=f"{number(len(loose), 'message')} without a version: {listed(loose)}",
            missing="say where it stands: version='json:/version', 'header:...', or a function",
        )
    ]
