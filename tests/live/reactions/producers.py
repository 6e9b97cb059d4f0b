"""One message at a time, a fault at the third: what a producer is told, what the log holds."""

from __future__ import annotations

from functools import partial

from tests.conformance.conversing import LIMIT, conversation
from tests.conformance.producing import SENDERS, errors
from tests.live.reactions.case import IDEMPOTENT, PLAIN, TEN, Case, said, series, shape

SECTION = "1.1"
PATIENCE = {"aiokafka": 40.0, "confluent": 60.0, "kafka-python": 30.0}  # their own defaults
SHORT = {
    "aiokafka": {"request_timeout_ms": 1000},
    "confluent": {"socket.timeout.ms": 1000},
    "kafka-python": {"request_timeout_ms": 1000, "delivery_timeout_ms": 8000},
}
BOTH = (PLAIN, IDEMPOTENT)
CLIENTS = tuple(SENDERS)
LONG = 100  # seconds that a client with its own time-outs may take


def told(answers):
    """What the application saw: what failed, or that nothing did."""
    wrong = [f"{one} {name}" for one, name in errors(answers).items()]
    return ", ".join(wrong) or "success"


def waited(seen, patience):
    """How long the third message took on the wire: until its last try, else until the fourth."""
    tries = [row.t for row in seen.chaos.history.attempts if row.id == "p3"]
    if len(tries) < 2:
        tries += [row.t for row in seen.chaos.history.attempts if row.id == "p4"][:1]
    late = len(tries) > 1 and (tries[-1] - tries[0]) / 1e9 >= 0.95 * patience
    return "after its time-out" if late else "at once"


def fired(seen, case):
    """Nothing when the rule did what it was to do, as often as it was to; else why not."""
    times = case.options.get("fired", 1)
    if seen.reasons or seen.fired == [times]:
        return seen.reasons
    return [f"fired {seen.fired[0]} times, not {times}"]


GAP = "3 (and some behind it) missing, rest in order"


def without_confirms(ids):
    """How many are lost is chance, where they stand is not: the third, and what came behind it
    before the client noticed."""
    missing = [one for one in TEN if one not in ids]
    row = TEN[2 : 2 + len(missing)]
    if missing and missing == row and len(ids) + len(missing) == len(TEN):
        return GAP
    return shape(ids)


def arrive(seen):
    """Wait until the log looks as it will in the end."""
    seen.chaos.wait_for(lambda: without_confirms(seen.stored) == GAP, LIMIT, "a gap in the log")


def sequential(broker, case):
    """Awaits each of ten messages, one record a request."""
    patience = case.options.get("patience", PATIENCE[case.client])
    limit = LONG if case.long else 30
    with conversation(broker, *case.rules) as seen:
        answers = SENDERS[case.client](
            seen.servers, seen.topic, TEN, idempotent=case.mode == IDEMPOTENT, limit=limit,
            **case.settings,
        )  # fmt: skip
        read = case.options.get("log", series)
        if read is without_confirms:  # nobody told the client that what it sent has arrived
            arrive(seen)
        log = read(seen.stored)
        copy = "offset of the 2nd copy" if answers[2].offset == 3 else ""
        return said(told(answers), waited(seen, patience), f"log {log}", copy, *fired(seen, case))


CLEAN = "success; at once; log 1..10"
ONE_COPY = "success; at once; log 1..3 3..10"
TWICE = f"{ONE_COPY}; offset of the 2nd copy"
LATE = "success; after its time-out; log 1..10"
LATE_TWICE = "success; after its time-out; log 1..3 3..10; offset of the 2nd copy"
GAVE_UP = "p3 RequestTimedOutError; after its time-out; log"


def _rows(name, rule, expected, *, clients=CLIENTS, modes=BOTH, **more):
    """A row for each client and mode; `expected` is a line or a function of (client, mode)."""
    for client in clients:
        for mode in modes:
            line = expected(client, mode) if callable(expected) else expected
            yield Case(
                section=SECTION, name=name, client=client, mode=mode, rule=rule, run=sequential,
                expected=(line,), **more,
            )  # fmt: skip


def _by_mode(plain, idempotent):
    return lambda _client, mode: plain if mode == PLAIN else idempotent


def _request_dark(client, mode):
    return f"{GAVE_UP} 1 2 4..10" if (client, mode) == ("aiokafka", PLAIN) else LATE


def _response_dark(client, mode):
    if (client, mode) == ("aiokafka", PLAIN):
        return f"{GAVE_UP} 1..10"
    return LATE_TWICE if mode == PLAIN else LATE


def _dark():
    """With short time-outs always, with the client's own in the long set."""
    places = [
        ("2 request swallowed, dark", "on.publish(nth=3).hang()", _request_dark),
        ("4 response swallowed, dark", "on.confirm(nth=3).hang()", _response_dark),
    ]
    for name, rule, expected in places:
        for client in CLIENTS:
            for mode in BOTH:
                row = partial(_rows, rule=rule, clients=(client,), modes=(mode,))
                yield from row(
                    name, expected=expected, settings=SHORT[client], options={"patience": 1.0}
                )
                yield from row(f"{name}, own time-outs", expected=expected, long=True)


def _confluent_gives_up(name, rule, log):
    return _rows(
        name, rule, f"p3 _MSG_TIMED_OUT; after its time-out; log {log}", clients=("confluent",),
        modes=(PLAIN,), settings={"message.timeout.ms": 3000}, options={"patience": 3.0},
    )  # fmt: skip


def cases():
    """Every row."""
    yield from _rows("1 request swallowed + close (FIN)", "on.publish(nth=3).drop()", CLEAN)
    yield from _rows(
        "1 request swallowed + close (RST)", "on.publish(nth=3).sever(reset=True)", CLEAN
    )
    yield from _rows(
        "3 response swallowed + close (FIN)", "on.confirm(nth=3).drop()", _by_mode(TWICE, CLEAN)
    )
    yield from _rows(
        "3 response swallowed + close, acks=1", "on.confirm(nth=3).drop()", TWICE,
        clients=("aiokafka",), modes=(PLAIN,), settings={"acks": 1},
    )  # fmt: skip
    yield from _dark()
    dark = "message.timeout.ms=3000"
    yield from _confluent_gives_up(
        f"2 request swallowed, dark, {dark}", "on.publish(nth=3).hang()", "1 2 4..10"
    )
    yield from _confluent_gives_up(
        f"4 response swallowed, dark, {dark}", "on.confirm(nth=3).hang()", "1..10"
    )
    for code in (6, 19):
        yield from _rows(
            f"5 refused {code}, not forwarded", f"on.publish(nth=3).refuse({code})", CLEAN
        )
    for code in (7, 20):
        yield from _rows(
            f"5 forwarded, answered {code}", f"on.publish(nth=3).refuse({code})",
            _by_mode(TWICE, CLEAN),
        )  # fmt: skip
    yield from _rows("8 forwarded twice", "on.publish(nth=3).duplicate()", ONE_COPY, modes=(PLAIN,))
    yield from _rows(
        "8 forwarded twice", "on.publish(nth=3).duplicate(optional=True)",
        f"{CLEAN}; an idempotent producer's copy is dropped by the broker (KIP-98)",
        modes=(IDEMPOTENT,), why="the rule says so instead of sending a copy in vain",
    )  # fmt: skip
    yield from _rows(
        "refused eight times running", "on.publish(nth=3, attempt=range(1, 9)).refuse(6)", CLEAN,
        options={"fired": 8},
        why="with 6 in place of 7: our 7 is stored each time, as a broker's is",
    )  # fmt: skip
    yield from _rows(
        "acks=0, request swallowed + close", "on.publish(nth=3).drop()",
        f"success; at once; log {GAP}",
        modes=(PLAIN,), settings={"acks": 0}, options={"log": without_confirms},
    )  # fmt: skip
