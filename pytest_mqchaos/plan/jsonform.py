"""Rules as plain data and back. It knows the shapes of the fields, no protocol and no version.

    {"on": "confirm", "where": {"topic": "orders", "nth": 2}, "fault": "drop", "optional": true}

What JSON lacks is a mapping with one key: bytes, range, every, and the predicates.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.faults import registry
from pytest_mqchaos.faults.base import Fault
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.nth import Every
from pytest_mqchaos.plan.when import DESTINATIONS, All, Either, Not, Predicate, Test, question
from pytest_mqchaos.plan.where import SELECTORS, Where, selectors


def only(data: object, what: str, allowed: set[str]) -> None:
    """Refuse what is no mapping, and any name that this version does not know."""
    if not isinstance(data, Mapping):
        raise UsageError(f"a {what} must be a mapping, not {data!r}.")
    for name in data:
        if name not in allowed:
            raise unknown(f"field of a {what}", name, allowed)


def rule_to_data(where: Where, fault: Fault) -> dict[str, Any]:
    """Where and what as plain data; defaults are left out."""
    data: dict[str, Any] = {"on": str(where.point), "fault": fault.verb}
    if place := {name: _pack(value) for name, value in selectors(where).items()}:
        data["where"] = place
    if given := registry.arguments(fault):
        data["with"] = given
    return data


def rule_from_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a rule. Raises UsageError for anything unknown."""
    only(data, "rule", {"on", "where", "fault", "with", "optional", "forge"})
    point = data.get("on")
    if point not in list(Point):
        raise unknown("point", point, map(str, Point))
    place = data.get("where", {})
    only(place, "rule's where", set(SELECTORS))
    given = data.get("with", {})
    if not isinstance(given, Mapping):
        raise UsageError(f"a rule's with must be a mapping, not {given!r}.")
    return {
        "where": place_from({name: unpack(value) for name, value in place.items()}, Point(point)),
        "fault": registry.build(data.get("fault", ""), given),
        "optional": data.get("optional", False),
        "forge": data.get("forge", False),
    }


def place_from(given: Mapping[str, Any], point: Point) -> Where:
    """A Where from selectors as users write them. Raises UsageError for an unknown one or two
    names for the destination."""
    for name in given:
        if name not in SELECTORS:
            raise unknown(f"selector of on.{point}()", name, SELECTORS)
    words = [word for word in DESTINATIONS if given.get(word) is not None]
    if len(words) > 1:
        raise UsageError(
            f"on.{point}({', '.join(f'{word}=...' for word in words)}): these are four words for "
            "one thing, the destination; give one."
        )
    rest = {name: value for name, value in given.items() if name not in DESTINATIONS}
    if words:
        rest |= {"destination": given[words[0]], "word": words[0]}
    return Where(point=point, **rest)


def _pack(value: object) -> Any:
    match value:
        case bytes():
            return {"bytes": base64.b64encode(value).decode("ascii")}
        case range():
            return {"range": [value.start, value.stop, value.step]}
        case Every():
            return {"every": value.step}
        case Test():
            return {"test": [value.name, *map(_pack, value.args)]}
        case All():
            return {"all": [_pack(part) for part in value.parts]}
        case Either():
            return {"any": [_pack(part) for part in value.parts]}
        case Not():
            return {"not": _pack(value.part)}
    return value


def _predicate(data: object) -> Predicate:
    made = unpack(data)
    if not isinstance(made, Test | All | Either | Not):
        raise UsageError(f"{data!r} is no predicate.")
    return made


def _parts(data: list[object]) -> tuple[Predicate, ...]:
    if len(data) < 2:  # noqa: PLR2004 - a join of fewer than two is none
        raise UsageError(f"{data!r}: a join of predicates has two parts or more.")
    return tuple(map(_predicate, data))


_READ: dict[str, Callable[[Any], object]] = {
    "bytes": lambda data: base64.b64decode(data, validate=True),
    "range": lambda data: range(*data),
    "every": Every,
    "test": lambda data: question(data[0], tuple(map(unpack, data[1:]))),
    "all": lambda data: All(parts=_parts(data)),
    "any": lambda data: Either(parts=_parts(data)),
    "not": lambda data: Not(part=_predicate(data)),
}


def unpack(value: object) -> Any:
    """The inverse of what `rule_to_data` did to one value."""
    if not isinstance(value, Mapping):
        return value
    if len(value) != 1:
        raise UsageError(f"{value!r}: a packed value has one name and one content.")
    (kind, content), *_ = value.items()
    if kind not in _READ:
        raise unknown("kind of packed value", kind, _READ)
    try:
        return _READ[kind](content)
    except (TypeError, ValueError, IndexError, KeyError, binascii.Error) as error:
        raise UsageError(f"{value!r} cannot be read: {error}.") from error
