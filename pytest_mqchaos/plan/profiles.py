"""Profiles by name: ours, and the user's own from the configuration. It knows no pytest and no
file; the configuration arrives as a mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.check import check
from pytest_mqchaos.plan.profile import Profile
from pytest_mqchaos.plan.profiles_kafka import KAFKA_BUNDLES, KAFKA_PROFILES
from pytest_mqchaos.plan.rules import Plan

PROFILES: Final[Mapping[str, Mapping[str, Profile]]] = {
    "kafka": {profile.name: profile for profile in KAFKA_PROFILES},
}
BUNDLES: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {"kafka": KAFKA_BUNDLES}
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def expand(
    name: str, protocol: str, own: Mapping[str, Profile] | None = None
) -> tuple[Profile, ...]:
    """The profile of that name, or those of the bundle of that name. `own` are the user's. Raises
    UsageError with the nearest names for one that does not exist."""
    legality.table(protocol)
    bundles = BUNDLES[protocol]
    known = {**PROFILES[protocol], **(own or {})}
    if name in bundles:
        return tuple(known[item] for item in bundles[name])
    if name not in known:
        todo = "Your own go under [tool.mqchaos.profiles] in pyproject.toml."
        raise unknown(f"{protocol} profile", name, [*known, *bundles], todo)
    return (known[name],)


def profile(
    name: str,
    protocol: str,
    *,
    positions: Mapping[Point, int] | None = None,
    own: Mapping[str, Profile] | None = None,
) -> Plan:
    """The plan of one profile, at its default positions or at `positions` (by point, 1-based).
    Raises UsageError for an unknown name and for a bundle."""
    found = expand(name, protocol, own)
    if name in BUNDLES[protocol]:
        names = ", ".join(item.name for item in found)
        raise UsageError(f"{name!r} is a bundle of profiles, not one: {names}. Take each of them.")
    return found[0].plan(positions)


def own_profiles(given: object, protocol: str) -> dict[str, Profile]:
    """The user's own, from `[tool.mqchaos.profiles]`: a name -> a rule, a plan or a token, or a
    list of these. Raises UsageError that names the key, what was given and what is allowed."""
    if not isinstance(given, Mapping):
        raise UsageError(f"[tool.mqchaos.profiles] must be a table, not {given!r}.")
    return {str(name): _own(str(name), value, protocol) for name, value in given.items()}


def _own(name: str, value: object, protocol: str) -> Profile:
    place = f"[tool.mqchaos.profiles] {name}"
    if not _KEBAB.fullmatch(name):
        raise UsageError(f"{place}: a profile's name is kebab-case, such as 'lost-second-confirm'.")
    if name in PROFILES[protocol] or name in BUNDLES[protocol]:
        raise UsageError(f"{place}: this name is taken by a profile of pytest-mqchaos.")
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or not texts:
        raise UsageError(
            f'{place} = {value!r}: must be a rule such as "on.confirm(nth=2).drop()", a plan '
            "token, or a list of these that is not empty."
        )
    abilities = {
        need for row in legality.table(protocol).rows for need in row.needed(row.option_needs)
    }
    try:
        plans = [Plan.from_text(text) for text in texts]
        rules = tuple(rule for plan in plans for rule in plan.rules)
        seeds = [plan.seed for plan in plans if plan.seed]
        made = Profile(name=name, protocol=protocol, rules=rules, seed=seeds[0] if seeds else 0)
        check(made.plan(), protocol, abilities)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from error
    return made
