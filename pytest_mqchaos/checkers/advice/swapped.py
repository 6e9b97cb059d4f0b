"""Who swapped two messages: log order and delivery order tell producer, broker, one consumer, or
two, of which the second was handed what comes next while the first was still at work; or nobody:
one of them was only done again.
"""

from __future__ import annotations

from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Delivery, Effect, Stored


def swapped_by(index: Index, late: str, early: str, by: str | None) -> tuple[str, str]:
    """Who ("producer", "broker", "consumer", "consumers", "") let `early` overtake `late`, and the
    evidence; "repeat" if `late` had been done before."""
    if repeat := _again(index, late, early, by):
        whose = f", by {repeat.owner}" if repeat.owner else ""
        return "repeat", f"{late!r} was done again behind {early!r}{whose}"
    one, other = _first_stored(index, late), _first_stored(index, early)
    if one is None or other is None:
        return _by_delivery(index, late, early, by, "")
    if (one.topic, one.partition) != (other.topic, other.partition):
        return "producer", (
            f"they travelled on two partitions ({one.topic}-{one.partition} and "
            f"{other.topic}-{other.partition})"
        )
    if other.offset < one.offset:
        again = len(index.story(late).attempts) > 1
        who = "producer" if again else "broker"
        how = "the producer's retry came too late" if again else "stored in this order"
        return who, f"the log has {early!r}@{other.offset} before {late!r}@{one.offset} ({how})"
    return _by_delivery(
        index, late, early, by, f"stored in order (@{one.offset}, @{other.offset}), "
    )


def _again(index: Index, late: str, early: str, by: str | None) -> Effect | None:
    """The effect of `late` behind that of `early`, if it had one in front of that as well."""
    both = [e for e in index.effects if e.id in (late, early) and not e.posthumous]
    done = [effect for effect in both if by is None or effect.by == by]
    ids = [effect.id for effect in done]
    if early not in ids or late not in ids[: ids.index(early)]:
        return None
    return next((effect for effect in done[ids.index(early) :] if effect.id == late), None)


def _by_delivery(index: Index, late: str, early: str, by: str | None, told: str) -> tuple[str, str]:
    one, other = _first_delivery(index, late, by), _first_delivery(index, early, by)
    if other is None:
        return "", f"{told}no delivery of {early!r} seen"
    if one is None or other.seq < one.seq:
        return "broker", f"{told}{early!r} was delivered before {late!r}"
    if _had_both(index, late, other, by):
        same = "" if one.owner == other.owner else f" (to {one.owner} and {other.owner})"
        return "consumer", f"{told}delivered in order{same}, the consumer swapped them"
    return "consumers", (
        f"{told}delivered in order, but to two: {other.owner} was handed {early!r} when "
        f"{one.owner} was not done with {late!r}"
    )


def _had_both(index: Index, late: str, other: Delivery, by: str | None) -> bool:
    """Whether whoever was handed the second of them had been handed the first as well."""
    return any(
        row.reached and row.owner == other.owner and row.seq <= other.seq
        for row in index.story(late, by).deliveries
    )


def _first_stored(index: Index, message_id: str) -> Stored | None:
    rows = [s for s in index.stories.stored.get(message_id, ()) if s.topic in index.inputs]
    return min(rows, default=None)


def _first_delivery(index: Index, message_id: str, by: str | None) -> Delivery | None:
    rows = [d for d in index.story(message_id, by).deliveries if d.reached]
    return min(rows, default=None)
