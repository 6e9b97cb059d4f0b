"""How requests without messages are refused. Metadata is its own case: a client that hears of no
broker at all does not know whom to ask again, and no broker says so. The request goes to the
broker (it only reads), and its topics come back without leaders.
"""

from __future__ import annotations

from pytest_mqchaos.faults.refuse import Refuse
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import FrameSeen, ReplySeen, Script, until
from pytest_mqchaos.recipes.kafka import acks
from pytest_mqchaos.wire.kafka.error_codes import code_of
from pytest_mqchaos.wire.kafka.replies import without_leaders

NO_LEADER = "LEADER_NOT_AVAILABLE"
NO_TOPIC = "it asked for the brokers alone: no topic could be refused"


def refuse(fault: Refuse, seen: FrameSeen) -> Script:
    """Answer with an error that a broker may give without having done anything."""
    if seen.frame.name != "Metadata":
        yield from acks.refuse(fault, seen)
        return
    event = yield from until(ReplySeen, do=[act.Forward(seen.frame)])
    if event.sighting.undecoded is not None:
        why = f"the broker's answer could not be read: {event.sighting.undecoded}"
        yield [act.Forward(event.frame), act.Unharmed(why)]
        return
    code = code_of(fault.error if fault.error is not None else NO_LEADER)
    answer = without_leaders(event.frame, code)
    if answer is None:
        yield [act.Forward(event.frame), act.Unharmed(NO_TOPIC)]
        return
    # In this order: ours takes the place of the broker's, and the history knows its code.
    yield [
        act.Reply(seen.frame, answer, code),
        act.Swallow(event.frame),
        act.TookEffect(f"Metadata answered {code}"),
    ]
