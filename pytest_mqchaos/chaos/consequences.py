"""What a fault did not lead to, though it is there for that: a copy in the log, a second delivery,
a new incarnation - and why.

A pure function of a history. A fault that took effect without its consequence has tested less than
its name says, so a pass must tell. It must never call a fault harmless: a publish that was dropped
and not sent again may be the whole loss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from pytest_mqchaos.frames import Point
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import index_of
from pytest_mqchaos.plan.rules import Rule

Reason = str | None
_IDEMPOTENT = "prevented by the idempotent producer: the broker keeps one copy (KIP-98)"
_NOT_AGAIN = "the producer did not send it again"


def _copies(history: History) -> Reason:
    """Two copies of one message in the log."""
    stored = Counter((row.topic, row.id, row.content) for row in history.stored)
    if any(count > 1 for count in stored.values()):
        return None
    if any(row.producer_id >= 0 for row in history.attempts):
        return f"no copy in the log: {_IDEMPOTENT}"
    sent = Counter((row.topic, row.id, row.content) for row in history.attempts)
    if not any(count > 1 for count in sent.values()):
        return f"no copy in the log: {_NOT_AGAIN}"
    return "no copy in the log, and it is not known why"


def _resent(history: History) -> Reason:
    """The producer sent the message again."""
    sent = Counter((row.topic, row.id, row.content) for row in history.attempts)
    if any(count > 1 for count in sent.values()):
        return None
    return f"no second try: {_NOT_AGAIN}"


def _redelivered(history: History) -> Reason:
    """One record was handed out twice."""
    handed = Counter(  # with its content: after a leader change an offset may be another record's
        (row.topic, row.partition, row.offset, row.content, row.group) for row in history.deliveries
    )
    if any(count > 1 for count in handed.values()):
        return None
    return "no second delivery: no message was handed out a second time"


def _restarted(history: History) -> Reason:
    """The worker came back, and something was in work when it died."""
    if not any(event.what == "restarted" for event in history.processes):
        return "no restart: the worker was not started again"
    died = [event.t for event in history.processes if event.what == "crashed"]
    if died and _all_done(history, min(died)):
        return (
            "no second handling: all that was published had been done before the worker died: let "
            "it commit more often (a shorter interval), or send more messages"
        )
    return None


def _all_done(history: History, t: int) -> bool:
    """Whether all that was published was handed out and took effect before this instant, as far as
    times are known. What has no effect may be what the death cost."""
    effects = history.effects or ()
    done = {row.id for row in effects if 0 < row.t_to < t}
    handed = {row.id for row in history.deliveries if row.reached}
    later = any(row.t > t for row in history.deliveries)
    index = index_of(history)
    owed = handed | index.owed | index.stored_ids
    return bool(handed) and not later and owed <= done and len(done) == len(effects)


_WANTED: Mapping[tuple[Point, str], Callable[[History], Reason]] = {
    (Point.PUBLISH, "drop"): _resent,
    (Point.PUBLISH, "duplicate"): _copies,
    (Point.PUBLISH, "refuse"): _resent,
    (Point.CONFIRM, "drop"): _copies,
    (Point.ACK, "redeliver"): _redelivered,
    (Point.ACK, "crash_worker"): _restarted,
    (Point.DELIVER, "sever"): _redelivered,
}


_DEPOSES = ("kill_broker", "power_loss", "partition", "move_leader")


def _elected(rule: Rule, history: History) -> Reason:
    """Somebody else leads what was published to."""
    if history.led_anew or getattr(rule.fault, "target", "leader") != "leader":
        return None
    places = {(row.topic, row.partition) for row in history.attempts}
    alone = sorted(f"{topic}-{partition}" for topic, partition in places & history.lone)
    if places - history.lone:
        return "no election: it was over before another leader was elected"
    if alone and getattr(rule.fault, "restart_after", None) is None:
        return f"no election: {', '.join(alone)} has one replica, nobody could take over"
    return None


def missing(rules: Iterable[Rule], history: History) -> dict[int, str]:
    """Rule index -> why its consequence did not come, for rules that took effect."""
    found: dict[int, str] = {}
    # A history that was taken before the last rule was armed knows fewer.
    for index, (rule, state) in enumerate(zip(rules, history.rules, strict=False)):
        look = _WANTED.get((rule.where.point, rule.fault.verb))
        if rule.where.point is Point.PUBLISH and rule.fault.verb in _DEPOSES:
            look = partial(_elected, rule)
        reason = look(history) if state.fired and look is not None else None
        if reason is not None:
            found[index] = reason
    return found


def sentences(missing: Mapping[int, str]) -> tuple[str, ...]:
    """What a pass says about them."""
    return tuple(f"rule {n + 1} led to {why}" for n, why in missing.items())
