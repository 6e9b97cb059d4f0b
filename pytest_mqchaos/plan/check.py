"""The question asked when a plan is armed: can this protocol and this broker do it, and can each
rule ever match? It knows tables and selectors, never a running broker."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.faults.refuse import Refuse
from pytest_mqchaos.faults.registry import arguments
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.match import names, questions
from pytest_mqchaos.plan.rules import Plan, Rule
from pytest_mqchaos.plan.table import CLUSTERED, Row, Table
from pytest_mqchaos.plan.when import DESTINATIONS, All, Scalar, Test
from pytest_mqchaos.plan.where import Where, selectors

_CONTENT = frozenset({*DESTINATIONS, "key", "id", "partition", "header", "value_contains"})


def check(plan: Plan, protocol: str, abilities: Collection[str] = ()) -> tuple[Row, ...]:
    """The legality row of each rule, in order. `abilities` are the broker's ("Killable"...).

    Raises UsageError, naming the rule, for a fault that the protocol or the broker cannot do, a
    forged one without `forge=True`, and a rule that can never match.
    """
    return tuple(check_rule(rule, protocol, abilities) for rule in plan.rules)


def check_rule(rule: Rule, protocol: str, abilities: Collection[str] = ()) -> Row:
    """The same for one rule."""
    table = legality.table(protocol)
    try:
        row = legality.row(protocol, rule.where.point, rule.fault.verb)
        _place(rule.where, table)
        _row(rule, row, abilities)
        resolved(rule, protocol)
    except UsageError as error:
        raise UsageError(f"{rule!r}: {error}") from error
    return row


def resolved(rule: Rule, protocol: str) -> Rule:
    """The same rule with the error of `.refuse()` as its number: recipes know no tables."""
    if not isinstance(rule.fault, Refuse):
        return rule
    place, error = rule.where, rule.fault.error
    found = legality.refusal(protocol, place.point, error, api=place.api, forge=rule.forge)
    return replace(rule, fault=Refuse(error=found.code))


def _row(rule: Rule, row: Row, abilities: Collection[str]) -> None:
    if row.forged and not rule.forge:
        raise UsageError(
            f"no real execution shows this ({row.what}) To have it all the same, write "
            f".{row.fault}(..., forge=True); the report then marks it as forged."
        )
    for api in rule.where.apis:
        if row.apis and api not in (*row.apis, *row.also):
            raise unknown(f"api for .{row.fault}() here", api, (*row.apis, *row.also))
    given = arguments(rule.fault)
    for option, why in row.refused_options.items():
        if option in given:
            raise UsageError(f"{option}={given[option]!r} cannot be here: {why}.")
    _needs(row.needed(given), abilities)


def _needs(needed: Collection[str], abilities: Collection[str]) -> None:
    missing = [need for need in needed if need not in abilities]
    if CLUSTERED in missing:
        raise UsageError(
            "it needs a cluster of several nodes; this one has one. Say nodes=3 in the mark or in "
            "kafka_chaos_broker.chaos(...), or run with --mqchaos-nodes=3."
        )
    if missing:
        raise UsageError(
            f"it needs a broker that is {' and '.join(missing)}; this one is not (it is "
            f"{', '.join(sorted(abilities)) or 'none of these'}). --mqchaos-broker=embedded can do "
            "all of them."
        )


def needed(plan: Plan, protocol: str) -> tuple[str, ...]:
    """The abilities that a broker must have for all rules of a plan."""
    rows = ((legality.row(protocol, r.where.point, r.fault.verb), r) for r in plan.rules)
    return tuple(sorted({need for row, r in rows for need in row.needed(arguments(r.fault))}))


def _place(where: Where, table: Table) -> None:
    """The selectors: all of this protocol, and able to match at this point."""
    asked = names(where.when) if where.when is not None else frozenset[str]()
    words = {word for word in DESTINATIONS if word in asked}
    words |= {where.word} if where.word else set()
    for word in sorted(words - {table.word}):
        value = where.destination if where.word == word else _asked_for(where, word)
        raise UsageError(f"{table.title} has {table.word}s: write {table.word}={value!r}.")
    apis = table.apis[where.point]
    for api in where.apis:
        if api not in apis:
            raise unknown(f"api at {where.point}", api, apis, _elsewhere(api, table))
    given = asked | set(selectors(where))
    meant = where.apis or apis
    if "group" in given and not table.group_apis.intersection(meant):
        raise UsageError(
            f"this can never match: {' and '.join(meant)} names no consumer group. Select the "
            "worker with client=... instead."
        )
    if where.point is Point.CONTROL:
        _control(where, given)
    _contradiction(where)


def _control(where: Where, given: Collection[str]) -> None:
    content = sorted(_CONTENT.intersection(given))
    if content:
        raise UsageError(
            f"this can never match: control requests carry no messages, so "
            f"{', '.join(content)} cannot be seen. Use client, group and nth."
        )
    if where.attempt != 1:
        raise UsageError(
            f"attempt={where.attempt!r} can never match: control requests are counted one by one, "
            "a retry is simply the next. Use nth."
        )


def _elsewhere(api: str, table: Table) -> str:
    points = [str(point) for point, apis in table.apis.items() if api in apis]
    return f"{api} is seen at: {', '.join(points)}." if points else ""


def _tests(where: Where) -> Iterator[Test]:
    """What must hold in any case: the selectors and the joined parts of `when`."""
    for name in ("key", "id", "partition", "client", "group"):
        if (value := getattr(where, name)) is not None:
            yield Test(name=name, args=(value,))
    if where.destination is not None:
        yield Test(name=str(where.word), args=(where.destination,))
    parts = where.when.parts if isinstance(where.when, All) else (where.when,)
    yield from (part for part in parts if isinstance(part, Test))


def _contradiction(where: Where) -> None:
    """A message has one destination, partition and key: two different ones never match."""
    seen: dict[str, Scalar] = {}
    for test in _tests(where):
        if test.name not in (*DESTINATIONS, "partition", "key", "group"):
            continue  # a message may have several ids and headers, a link two names
        value = test.args[0]
        value = value.encode() if test.name == "key" and isinstance(value, str) else value
        if seen.setdefault(test.name, value) != value:
            raise UsageError(
                f"this can never match: {test.name} cannot be {seen[test.name]!r} and {value!r} at "
                "once. For either of them use where.a | where.b."
            )


def _asked_for(where: Where, word: str) -> Scalar:
    assert where.when is not None  # or the word would be the rule's own
    return next(test.args[0] for test in questions(where.when) if test.name == word)
