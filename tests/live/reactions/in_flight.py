"""Ten messages without waiting (a send every 20 ms, or all at once), a fault at the third: what
several requests in flight make of it. One record is one request."""

from __future__ import annotations

from tests.conformance.conversing import conversation
from tests.conformance.producing import SENDERS
from tests.live.reactions.case import IDEMPOTENT, PLAIN, TEN, Case, said, series
from tests.live.reactions.producers import fired, told

SECTION = "1.2"
PACE = 0.02
SMALL = {"max_batch_size": 60}  # aiokafka: one record does not leave room for a second
FIVE_IN_FLIGHT = {"max_in_flight_requests_per_connection": 5}
SETTINGS = {"aiokafka": SMALL, "confluent": {}, "kafka-python": FIVE_IN_FLIGHT}
IN_ORDER = "1..10"
ONE_IN_FLIGHT = "this client never had two requests in flight"
NUMBERED = "an idempotent producer keeps its order (sequence numbers, KIP-98)"
UNREAD = (
    "kafka-python throws away the answers that it reads together with the connection's end; on a "
    "busy machine the moment that the rule gives it to read them first may not be enough"
)
MODES = [(client, mode) for client in SENDERS for mode in (PLAIN, IDEMPOTENT)]
WINDOWED = [("confluent", PLAIN), ("kafka-python", PLAIN)]
REST = [each for each in MODES if each not in WINDOWED]


def arranged(ids):
    """Which of the few arrangements that chance leaves open this is, in words."""
    firsts = list(dict.fromkeys(ids))
    copies = [one for one in TEN if ids.count(one) > 1]
    if set(firsts) != set(TEN):
        return series(ids)
    moved = firsts != TEN
    rest = [one for one in firsts if one != "p3"]
    if not moved:
        order = "in order"
    elif rest == [one for one in TEN if one != "p3"]:
        order = "3 behind later ones"
    else:
        order = "another order"
    words = [order]
    if copies == ["p3"]:
        words.append("3 twice")
    elif copies:
        words.append("several twice")
    return ", ".join(words)


def exactly(line):
    """The log as it is where it is this one, else how chance has arranged it."""
    return lambda ids: line if series(ids) == line else arranged(ids)


def sent(broker, case):
    """Sends all ten, then waits for all answers."""
    with conversation(broker, *case.rules) as seen:
        answers = SENDERS[case.client](
            seen.servers, seen.topic, TEN, idempotent=case.mode == IDEMPOTENT, together=True,
            pace=case.options.get("pace", 0.0), **{**SETTINGS[case.client], **case.settings},
        )  # fmt: skip
        log = case.options.get("log", series)(seen.stored)
        return said(told(answers), f"log {log}", *fired(seen, case))


def _row(name, rule, each, *lines, settings=None, why="", **options):
    client, mode = each
    return Case(
        section=SECTION, name=name, client=client, mode=mode, rule=rule, run=sent,
        expected=tuple(f"success; log {line}" for line in lines), settings=settings or {},
        options=options, why=why,
    )  # fmt: skip


def _in_order(name, rule, these, **more):
    return [_row(name, rule, each, IN_ORDER, **more) for each in these]


def _held(name, window, *, lines, **more):
    """The answer waits for later requests: only where there are any can there be disorder."""
    rule = f"on.publish(nth=3).reorder({window})"
    for each in MODES:
        if each in WINDOWED:
            yield _row(name, rule, each, *lines[each[0]], **more)
            continue
        reason = NUMBERED if each[1] == IDEMPOTENT else ONE_IN_FLIGHT
        yield _row(
            name, f"on.publish(nth=3).reorder({window}, optional=True)", each,
            f"{IN_ORDER}; {reason}",
            **{**more, "log": series, "why": "prevented, and the rule says by what"},
        )  # fmt: skip


def _paced():
    for code in (6, 19):
        yield from _in_order(
            f"20 ms, refused {code} at once", f"on.publish(nth=3).refuse({code})", REST, pace=PACE
        )
        for each in WINDOWED:
            yield _row(
                f"20 ms, refused {code} at once", f"on.publish(nth=3).refuse({code})", each,
                "in order", "3 behind later ones", pace=PACE, log=arranged,
                why="in order while the next send comes after the refusal; a send that was on its "
                "way already overtakes",
            )  # fmt: skip
    # A client sends again when its thread comes to it: behind the next message, or some more.
    some = ["1 2 4 3 5..10", "1 2 4 5 3 6..10", "1 2 4..6 3 7..10", "1 2 4..7 3 8..10"]
    behind_one = {"confluent": [*some, "1 2 4..8 3 9 10"], "kafka-python": some}
    yield from _held("20 ms, refused when 4 has arrived", 1, lines=behind_one, pace=PACE)
    late = {"confluent": ["1 2 4..10 3"], "kafka-python": ["1 2 4..7 3 8..10"]}
    for client, window in (("confluent", 7), ("kafka-python", 4)):
        yield _row(
            "20 ms, refused .5 s later", f"on.publish(nth=3).reorder({window})", (client, PLAIN),
            *late[client], pace=PACE, why="held until so many have arrived, not by a clock",
        )  # fmt: skip


def _burst():
    refused = "on.publish(nth=3).refuse(6)"
    yield from _in_order("burst, refused 6 at once", refused, REST)
    for each in WINDOWED:
        yield _row(
            "burst, refused 6 at once", refused, each, "3 behind later ones", log=arranged,
            why="how far behind differs",
        )  # fmt: skip
    held = {"confluent": ["3 behind later ones"], "kafka-python": ["3 behind later ones"]}
    for window in (1, 2):
        yield from _held(
            f"burst, refused when {3 + window} has arrived", window, lines=held, log=arranged,
            why="how far behind differs",
        )  # fmt: skip
    stored = "on.publish(nth=3).refuse(7)"
    name = "burst, stored 3 answered 7"
    yield _row(name, stored, ("aiokafka", PLAIN), "1..3 3..10")
    yield from _in_order(name, stored, [each for each in MODES if each[1] == IDEMPOTENT])
    for each in WINDOWED:
        yield _row(
            name, stored, each, "in order, 3 twice", log=arranged,
            why="where the copy stands differs by what is in flight",
        )  # fmt: skip


def _cut():
    severed = "on.publish(nth=3).sever()"
    name = "burst, 3 swallowed + immediate close"
    yield from _in_order(name, severed, REST)
    yield _row(
        name, severed, ("confluent", PLAIN), "in order, several twice", "in order", log=arranged,
        why="earlier unanswered requests come again: how many is chance",
    )  # fmt: skip
    yield _row(
        name, severed, ("kafka-python", PLAIN), "another order", "another order, several twice",
        "3 behind later ones, several twice", log=arranged,
        why="sent again in reverse; how many is chance",
    )  # fmt: skip
    drained = "on.publish(nth=3).drop()"
    name = "burst, drain, then swallow 3 + close"
    yield from _in_order(name, drained, [*REST, ("confluent", PLAIN)])
    reverse = "1 2 7 6 5 4 3 8..10"
    yield _row(
        name, drained, ("kafka-python", PLAIN), reverse, "another order",
        "another order, several twice", log=exactly(reverse), why=UNREAD,
    )  # fmt: skip
    gated = "on.confirm(nth=3).drop()"
    name = "burst, gate: response 3 lost, nothing behind it"
    yield _row(name, gated, ("aiokafka", PLAIN), "1..3 3..10")
    yield _row(name, gated, ("confluent", PLAIN), "1..3 3..10")
    reverse = "1..3 7 6 5 4 3 8..10"
    yield _row(
        name, gated, ("kafka-python", PLAIN), reverse, "another order, 3 twice",
        "another order, several twice", log=exactly(reverse), why=UNREAD,
    )  # fmt: skip
    yield from _in_order(
        name, gated, [each for each in MODES if each[1] == IDEMPOTENT],
        why="not measured before for confluent and kafka-python",
    )  # fmt: skip


def _one():
    """One request in flight is no order in librdkafka."""
    refused = "on.publish(nth=3).refuse(6)"
    yield _row(
        "burst, refused 6, max.in.flight=1", refused, ("confluent", PLAIN), "1 2 4 3 5..10",
        settings={"max.in.flight": 1},
    )  # fmt: skip
    yield _row(
        "burst, refused 6, max.in.flight=1", refused, ("kafka-python", PLAIN), IN_ORDER,
        settings={"max_in_flight_requests_per_connection": 1},
    )  # fmt: skip


def cases():
    """Every row."""
    for part in (_paced, _burst, _cut, _one):
        yield from part()
