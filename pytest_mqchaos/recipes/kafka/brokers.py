"""What befalls brokers at an exact frame: the link holds it, the controller acts, the frame goes on
to what is left. Which node is meant is the controller's to find: it is told whose frame this is.
"""

from __future__ import annotations

from pytest_mqchaos.faults.kill_broker import KillBroker
from pytest_mqchaos.faults.move_leader import MoveLeader
from pytest_mqchaos.faults.partition import Partition
from pytest_mqchaos.faults.pause_broker import PauseBroker
from pytest_mqchaos.faults.power_loss import PowerLoss
from pytest_mqchaos.faults.restart_broker import RestartBroker
from pytest_mqchaos.frames import Direction, Frame, Sighting
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.recipes.base import READ_NS, FrameSeen, ReplySeen, Script, until

# How long a leader may take over a frame without its followers, by acks: with 1 it answers, with -1
# it does not, with 0 nobody will know. Shorter than any request time-out of the clients.
ALONE_NS: dict[int | None, int] = {1: 5_000_000_000, 0: 3 * READ_NS}
WAITS_NS = 300_000_000


def _ask(what: str, sighting: Sighting, **arguments: object) -> act.Ask:
    """A question, with everything that says which broker plays which part for this frame."""
    sent = ((record.topic, record.partition) for record in sighting.records)
    read = ((position.topic, position.partition) for position in sighting.positions)
    places = dict.fromkeys((*sent, *read))
    return act.Ask(
        what,
        {
            **arguments,
            "places": [list(place) for place in places],
            "group": sighting.group,
            "transactional_id": sighting.transactional_id,
        },
    )


def _told(event: act.Answer, note: str) -> str:
    """What was done, in the controller's own words where it has some."""
    value = event.value
    return str((value.get("note") if isinstance(value, dict) else None) or note)


def _act_on_broker(ask: act.Ask, frame: Frame, note: str) -> Script:
    event = yield from until(act.Answer, do=[act.Hold(frame), ask])
    refused = act.refusal(event)
    if refused is not None:
        yield [act.Forward(frame), act.Unharmed(refused)]
        return
    yield [act.TookEffect(_told(event, note)), act.Forward(frame)]


def kill_broker(fault: KillBroker, seen: FrameSeen) -> Script:
    """SIGKILL while the frame is held; it goes on to a broker that is no more."""
    ask = _ask("kill_broker", seen.sighting, target=fault.target, restart_after=fault.restart_after)
    if fault.unreplicated:
        yield from _kill_unreplicated(ask, seen)
    else:
        yield from _act_on_broker(ask, seen.frame, "broker killed")


def _kill_unreplicated(kill: act.Ask, seen: FrameSeen) -> Script:
    """No follower copies any more, the leader takes the frame and nothing behind it, its answer (if
    it gives one alone) is let through and read; then it dies, and the followers are themselves
    again: none of them ever had it."""
    frame = seen.frame
    hold = _ask("hold_replication", seen.sighting)
    event: act.Event = yield from until(act.Answer, do=[act.Hold(frame), hold])
    assert isinstance(event, act.Answer)
    refused = act.refusal(event)
    if refused is not None:
        yield [act.Forward(frame), act.Unharmed(refused)]
        return
    gate = act.Gate(Direction.TO_BROKER)
    alone = act.WakeAt(event.t + ALONE_NS.get(seen.sighting.acks, WAITS_NS))
    event = yield from until(ReplySeen, act.Timer, act.Closed, do=[act.Forward(frame), gate, alone])
    said = ""
    if isinstance(event, ReplySeen):
        codes = [outcome.code for outcome in event.sighting.outcomes]
        said = "refused" if any(codes) else "confirmed"
        read = act.WakeAt(event.t + READ_NS)
        event = yield from until(act.Timer, act.Closed, do=[act.Forward(event.frame), read])
    event = yield from until(act.Answer, do=[kill])
    refused, killed = act.refusal(event), _told(event, "leader killed")
    release = _ask("release_replication", seen.sighting)
    yield from until(act.Answer, do=[release])
    if refused is not None:
        yield [act.Unharmed(refused)]
    elif said == "refused":
        yield [act.Unharmed("the leader refused the message: there was nothing to lose")]
    else:
        how = "after it had confirmed it alone" if said else "before it could confirm it"
        yield [act.TookEffect(f"{killed} {how}, unreplicated")]


def pause_broker(fault: PauseBroker, seen: FrameSeen) -> Script:
    """SIGSTOP; SIGCONT after `for_` seconds or when the test heals."""
    ask = _ask("pause_broker", seen.sighting, target=fault.target, for_=fault.for_)
    yield from _act_on_broker(ask, seen.frame, "broker paused")


def restart_broker(fault: RestartBroker, seen: FrameSeen) -> Script:
    """Stop and start again with the same identity, port and data; the frame goes on after."""
    ask = _ask("restart_broker", seen.sighting, target=fault.target)
    yield from _act_on_broker(ask, seen.frame, "broker restarted")


def power_loss(fault: PowerLoss, seen: FrameSeen) -> Script:
    """Killed while the frame is held, and what was not flushed is gone."""
    ask = _ask("power_loss", seen.sighting, target=fault.target, restart_after=fault.restart_after)
    yield from _act_on_broker(ask, seen.frame, "broker lost its power")


def move_leader(fault: MoveLeader, seen: FrameSeen) -> Script:
    """The frame goes on to a broker that leads no more."""
    ask = _ask("move_leader", seen.sighting, to=fault.to)
    yield from _act_on_broker(ask, seen.frame, "leader moved")


def partition(fault: Partition, seen: FrameSeen) -> Script:
    """The frame goes on to a broker that the others do not hear."""
    ask = _ask("partition", seen.sighting, target=fault.target, for_=fault.for_)
    yield from _act_on_broker(ask, seen.frame, "brokers cut off from each other")
