"""What every fault is: a frozen description with a verb. It knows no protocol and does nothing.

    Delay(seconds=0.5)   verb "delay"   source ".delay(0.5)"

What a fault *does* on a protocol is a recipe; whether it may be used at a point is a legality row.
"""

from __future__ import annotations

import math
from dataclasses import Field
from typing import Any, ClassVar, Protocol

from pytest_mqchaos.errors import UsageError, unknown


class Fault(Protocol):
    """One frozen, keyword-only description. `verb` is its method on `on.<point>()`; `positional`
    names the fields that a user may write without their name, in that order."""

    verb: ClassVar[str]
    positional: ClassVar[tuple[str, ...]]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def positive_seconds(verb: str, name: str, given: object, *, zero: bool = False) -> None:
    """Refuse what is not a finite number of seconds above 0 (`zero`: or 0)."""
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if number and math.isfinite(given) and (given > 0 or (zero and given == 0)):  # type: ignore[operator,arg-type]
        return
    allowed = "0 or more" if zero else "more than 0"
    raise UsageError(
        f".{verb}({name}={given!r}): seconds must be a finite number, {allowed}. "
        f"Write for example .{verb}({name}=0.5)."
    )


def flag(verb: str, name: str, given: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(given, bool):
        raise UsageError(f".{verb}({name}={given!r}): must be True or False.")


def one_of(verb: str, name: str, given: object, allowed: tuple[str, ...]) -> None:
    """Refuse a word that is not one of `allowed`, with the nearest."""
    if not isinstance(given, str) or given not in allowed:
        raise unknown(f"{name} of .{verb}()", given, allowed)
