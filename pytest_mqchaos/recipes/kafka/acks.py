"""How trouble is caused at Kafka's OffsetCommit, and at requests by API name.

Positions are cumulative: a lost commit alone is invisible. A redelivery needs an eviction, and an
eviction must be real (a LeaveGroup), or the client stalls for its whole session time-out.
"""

from __future__ import annotations

from collections.abc import Generator

from pytest_mqchaos.faults.refuse import Refuse
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import FrameSeen, Script, until
from pytest_mqchaos.wire.kafka.error_codes import code_of
from pytest_mqchaos.wire.kafka.replies import error_reply, reply_error_code
from pytest_mqchaos.wire.kafka.requests import leave_group

DEFAULT_ERROR = {
    "OffsetCommit": "COORDINATOR_LOAD_IN_PROGRESS",
    "TxnOffsetCommit": "COORDINATOR_LOAD_IN_PROGRESS",
    "Heartbeat": "REBALANCE_IN_PROGRESS",
    "EndTxn": "CONCURRENT_TRANSACTIONS",
    "InitProducerId": "COORDINATOR_LOAD_IN_PROGRESS",
}
FALLBACK_ERROR = "COORDINATOR_NOT_AVAILABLE"
NO_MEMBER = "this consumer is no member of a group: the broker has nothing to take from it"
PRODUCERS = (
    "a producer sent this commit in its transaction, and not in the name of a member: to take "
    "partitions from their consumer use on.control(api='Heartbeat').rebalance()"
)
JOINED_NS = 3_000_000_000  # heartbeat.interval.ms of the clients
LOADING = 14  # the only error of these that a producer without a transactional id is ever answered


def refuse(fault: Refuse, seen: FrameSeen) -> Script:
    """Answer with an error that a broker may give without having done anything."""
    usual = DEFAULT_ERROR.get(seen.frame.name, FALLBACK_ERROR)
    code = code_of(fault.error if fault.error is not None else usual)
    lone = seen.frame.name == "InitProducerId" and not seen.sighting.transactional_id
    if lone and code != LOADING:
        reason = "a producer without a transactional id has no coordinator: it is answered 14 only"
        yield [act.Forward(seen.frame), act.Unharmed(reason)]
        return
    yield [
        act.Swallow(seen.frame),
        act.Reply(seen.frame, error_reply(seen.frame, code), code),
        act.TookEffect(f"{seen.frame.name} answered {code}"),
    ]


def evict(_fault: object, seen: FrameSeen) -> Script:
    """The member really leaves its group (as when its session expired), then its request goes on:
    the broker itself refuses it, rebalances, and hands the uncommitted messages out again."""
    group, member = seen.sighting.group, seen.sighting.member
    joining = seen.sighting.details.get("stays") is False  # and has nothing yet to be taken
    if joining:
        member = yield from _joined(seen)
        if not member:
            yield [act.Unharmed(f"a member had not joined {group} when its connection ended")]
            return
    if not group or not member:
        reason = PRODUCERS if seen.frame.name == "TxnOffsetCommit" else NO_MEMBER
        yield [act.Forward(seen.frame), act.Unharmed(reason)]
        return
    hold: list[act.Action] = [] if joining else [act.Hold(seen.frame)]
    on: list[act.Action] = [] if joining else [act.Forward(seen.frame)]
    frame = leave_group(group, member)
    answered = yield from until(act.Answer, do=[*hold, act.SideRequest(frame)])
    raw = answered.value
    code = reply_error_code(frame, raw) if isinstance(raw, bytes) else None
    if code == 0:
        yield [*on, act.TookEffect(f"{member} left {group}")]
    else:
        reason = f"the broker did not let {member} leave {group} (answer {code})"
        yield [*on, act.Unharmed(reason)]


def _joined(seen: FrameSeen) -> Generator[list[act.Action], act.Event, str | None]:
    """Let a member of the protocol of KIP-848 join and take over what it is given, for as long as
    the first Heartbeat of the classic protocol comes behind a join: its id, if it is still there.
    """
    event = yield from until(act.ReplySeen, act.Closed, do=[act.Forward(seen.frame)])
    if not isinstance(event, act.ReplySeen):
        return None
    member = event.sighting.member
    wait: list[act.Action] = [act.Forward(event.frame), act.WakeAt(event.t + JOINED_NS)]
    event = yield from until(act.Timer, act.Closed, do=wait)
    return member if isinstance(event, act.Timer) else None
