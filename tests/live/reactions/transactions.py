"""Transactions that read, write and send offsets; a fault in the second of three."""

from __future__ import annotations

from tests.conformance.conversing import conversation
from tests.live.reactions.case import TEN, Case, said, series
from tests.live.reactions.producers import fired
from tests.live.reactions.transacting import TRANSACT, worker

SECTION = "3"
THREE = TEN[:3]
SOON = 10  # seconds for markers to be written
LIMIT = 60
SHORT = 6000  # ms; a broker looks for overdue transactions every 10 s
A, C = "aiokafka", "confluent"


def ends(seen, target):
    """(readable by who reads committed, readable by anybody)"""
    direct = seen.chaos.host.side.direct
    stable = direct.ends([target], stable=True)[target, 0][1]
    return stable, direct.ends([target])[target, 0][1]


def logs(seen, target):
    """What the two kinds of readers are given, and whether one of them is held up."""
    direct = seen.chaos.host.side.direct
    stable, end = ends(seen, target)
    committed = [r.value.decode() for r in direct.read(target, 0, 0, stable)]
    anything = [r.value.decode() for r in direct.read(target, 0, 0, end, committed=False)]
    words = [f"committed log {series(committed)}", f"whole log {series(anything)}"]
    return [*words, *(["an open transaction blocks it"] if stable < end else [])]


def open_end(seen, target):
    """Whether a transaction is open at the end."""
    stable, end = ends(seen, target)
    return stable < end


def transact(broker, case):
    """Three transactions in the test's own process."""
    with conversation(broker, *case.rules) as seen:
        target = seen.chaos.topic(f"{seen.topic}-out")
        seen.publish(*THREE)
        raised = TRANSACT[case.client](seen.servers, seen.topic, target, seen.group)
        if not raised or "abort fails" not in raised[-1]:
            seen.chaos.wait_for(lambda: not open_end(seen, target), SOON, "markers")
        told = ", ".join(raised) or "every transaction OK"
        return said(told, *logs(seen, target), *fired(seen, case))


def killed(broker, case):
    """Its process is killed with the second transaction open, and started again or not."""
    again = case.mode == "restarted"
    with conversation(broker, *case.rules) as seen:
        target = seen.chaos.topic(f"{seen.topic}-out")
        seen.publish(*THREE)
        timeout = LIMIT * 1000 if again else SHORT
        with seen.chaos.worker(
            worker, case.client, seen.chaos.bootstrap_servers, seen.topic, target, seen.group,
            timeout, process=True, restart=again,
        ):  # fmt: skip
            seen.chaos.armed[0].wait(LIMIT)
            blocked = "blocked at first" if again or open_end(seen, target) else "never blocked"
            wanted = TEN[:6] if again else TEN[:2]

            def settled():
                direct = seen.chaos.host.side.direct
                stable, end = ends(seen, target)
                got = [r.value.decode() for r in direct.read(target, 0, 0, stable)]
                return stable == end and got == wanted

            # Restarted: long before the transaction's own time-out.
            seen.chaos.wait_for(settled, LIMIT * (0.7 if again else 1), "the transaction to end")
            return said(blocked, *logs(seen, target), *fired(seen, case))


FINE = "every transaction OK; committed log 1..6; whole log 1..6"
REDONE = "committed log 1..6; whole log 1..4 3..6"
OPEN = "committed log 1 2; whole log 1..4; an open transaction blocks it"


def _row(name, rule, client, *lines, run=transact, mode="", why="", **more):
    return Case(
        section=SECTION, name=name, client=client, mode=mode, rule=rule, run=run, expected=lines,
        why=why, options=more,
    )  # fmt: skip


def _end():
    for client in (C, A):
        rule = "on.control(api='EndTxn', nth=2)"
        yield _row("EndTxn request swallowed + close", f"{rule}.sever()", client, FINE)
        yield _row("EndTxn answered 51", f"{rule}.refuse(51)", client, FINE)
    fenced = f"{rule}.refuse(90, forge=True)"
    name = "EndTxn answered 90, not real"
    yield _row(name, fenced, C, f"_FENCED (fatal), abort fails: _FENCED; {OPEN}")
    yield _row(
        name, fenced, A, f"KafkaError, abort fails: AssertionError; {OPEN}",
        why="the first error's name was not written down beforehand",
    )  # fmt: skip


def _offsets():
    place = "on.ack(api='TxnOffsetCommit', nth=2)"
    for client in (C, A):
        yield _row("TxnOffsetCommit swallowed + close", f"{place}.drop()", client, FINE)
        for code in (15, 16):
            yield _row(f"TxnOffsetCommit answered {code}", f"{place}.refuse({code})", client, FINE)
    dead = f"KafkaError, abort fails: AssertionError; {OPEN}"
    busy = f"{place}.refuse(51, forge=True)"
    yield _row("TxnOffsetCommit answered 51, not real", busy, C, FINE)
    yield _row("TxnOffsetCommit answered 51, not real", busy, A, dead)
    names = {22: "ILLEGAL_GENERATION", 25: "UNKNOWN_MEMBER_ID", 27: "REBALANCE_IN_PROGRESS"}
    for code, name in names.items():
        rule = f"{place}.refuse({code}, forge=True)"
        title = f"TxnOffsetCommit answered {code}, not real"
        yield _row(title, rule, C, f"{name} (abort); {REDONE}")
        yield _row(title, rule, A, dead)


def _killed():
    rule = "on.control(api='EndTxn', nth=2).crash_worker()"
    for client in (C, A):
        yield _row(
            "killed before EndTxn arrives, nobody returns", rule, client,
            "blocked at first; committed log 1 2; whole log 1..4",
            run=killed, mode="not restarted",
        )  # fmt: skip
        yield _row(
            "killed before EndTxn arrives, returns with its id", rule, client,
            f"blocked at first; {REDONE}", run=killed, mode="restarted",
        )  # fmt: skip


def cases():
    """Every row."""
    for part in (_end, _offsets, _killed):
        yield from part()
