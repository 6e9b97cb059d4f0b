"""How trouble is caused at Kafka's Produce request. Nothing here forges what a broker would say
that it did not do; consequences are the client's and the broker's own.
"""

from __future__ import annotations

from pytest_mqchaos.faults.duplicate import Duplicate
from pytest_mqchaos.faults.refuse import Refuse
from pytest_mqchaos.faults.reorder import Reorder
from pytest_mqchaos.frames import Direction, Sighting
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import FrameSeen, Script, until
from pytest_mqchaos.recipes.kafka import cuts
from pytest_mqchaos.wire.kafka.error_codes import code_of
from pytest_mqchaos.wire.kafka.replies import error_reply, reply_error_code

# Shorter than any request or session time-out of the clients (clients.md): a hold that is not
# answered by then goes on unharmed.
HOLD_NS = 1_000_000_000
# Errors that a broker gives after it appended (or may have): faithful only on a reply.
NOT_LEADER = 6
APPENDED = frozenset({7, 20})


def lose(fault: object, seen: FrameSeen) -> Script:
    """Lost with its connection; with acks=0 nothing is answered that could be drained first."""
    if seen.sighting.acks == 0:
        yield [act.Swallow(seen.frame), act.Sever(), act.TookEffect("request lost (acks=0)")]
        return
    yield from cuts.lose(fault, seen)


def refuse(fault: Refuse, seen: FrameSeen) -> Script:
    """Answer with a retriable error. Errors that normally follow an append are put on the
    broker's own reply instead, so that the log agrees with what was said."""
    code = code_of(fault.error if fault.error is not None else "NOT_LEADER_OR_FOLLOWER")
    if seen.sighting.acks == 0:
        yield [act.Forward(seen.frame), act.Unharmed("acks=0 asks for no answer to refuse with")]
        return
    answer = error_reply(seen.frame, code)
    if code in APPENDED:
        event = yield from until(act.ReplySeen, do=[act.Forward(seen.frame)])
        if any(outcome.code for outcome in event.sighting.outcomes):
            yield [act.Forward(event.frame), act.Unharmed("the broker refused it by itself")]
            return
        # In this order: ours takes the place of the broker's, and the history knows its code.
        yield [
            act.Reply(seen.frame, answer, code),
            act.Swallow(event.frame),
            act.TookEffect(f"answered {code}, stored"),
        ]
        return
    yield [
        act.Swallow(seen.frame),
        act.Reply(seen.frame, answer, code),
        act.TookEffect(f"answered {code}, not stored"),
    ]


def _partitions(sighting: Sighting) -> set[tuple[str, int]]:
    return {(record.topic, record.partition) for record in sighting.records}


def reorder(fault: Reorder, seen: FrameSeen) -> Script:
    """Hold request n until n + window of the same partition have arrived, then refuse it: the
    client's retry lands behind them. An answer given at once would reorder nothing."""
    reason = "acks=0 asks for no answer to refuse with" if seen.sighting.acks == 0 else ""
    if any(record.producer_id >= 0 for record in seen.sighting.records):
        reason = "an idempotent producer keeps its order (sequence numbers, KIP-98)"
    if reason:
        yield [act.Forward(seen.frame), act.Unharmed(reason)]
        return
    ours = _partitions(seen.sighting)
    behind = 0
    event = yield [act.Hold(seen.frame), act.WakeAt(seen.t + HOLD_NS)]
    while True:
        if isinstance(event, FrameSeen) and ours & _partitions(event.sighting):
            behind += 1
            if behind >= fault.window:
                break
        elif isinstance(event, act.Timer):
            reason = "this client never had two requests in flight"
            yield [act.Forward(seen.frame), act.Unharmed(reason)]
            return
        event = yield []
    yield [
        act.Swallow(seen.frame),
        act.Reply(seen.frame, error_reply(seen.frame, NOT_LEADER), NOT_LEADER),
        act.TookEffect(f"refused after {behind} later request(s) had arrived"),
    ]


def duplicate(_fault: Duplicate, seen: FrameSeen) -> Script:
    """Publish the same request once more on a connection of our own, right behind the first: what
    some producer's retry would have stored. A fair test of consumers."""
    if seen.sighting.acks == 0 or any(r.producer_id >= 0 for r in seen.sighting.records):
        reason = "an idempotent producer's copy is dropped by the broker (KIP-98)"
        if seen.sighting.acks == 0:
            reason = "acks=0: whether the first copy was stored is not known"
        yield [act.Forward(seen.frame), act.Unharmed(reason)]
        return
    event = yield from until(
        act.ReplySeen, do=[act.Forward(seen.frame), act.Gate(Direction.TO_BROKER)]
    )
    if any(outcome.code for outcome in event.sighting.outcomes):
        yield [act.Forward(event.frame), act.Unharmed("the broker refused the first copy")]
        return
    answered = yield from until(
        act.Answer, do=[act.Hold(event.frame), act.SideRequest(seen.frame.raw)]
    )
    raw = answered.value
    if isinstance(raw, bytes) and reply_error_code(seen.frame, raw) == 0:
        yield [act.Forward(event.frame), act.TookEffect("stored once more")]
    else:
        yield [act.Forward(event.frame), act.Unharmed("the broker refused the copy")]
