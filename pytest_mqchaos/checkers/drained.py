"""What came only because settling restarted the workers once: nothing was lost, but who sticks
until it is restarted is no better off in life. A pass says so.

It knows the times of publishes, restarts and effects; no verdict hangs on it.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import FINAL_DRAIN


def late(index: Index) -> str:
    """Words about messages that were there before such a restart, and without an effect until after
    it; "" for none."""
    drains = [event.t for event in index.history.processes if event.cause == FINAL_DRAIN]
    if not drains:
        return ""
    done: dict[str, int] = {}
    for effect in index.effects:
        done[effect.id] = min(effect.t_to, done.get(effect.id, effect.t_to))
    ids = sorted(
        message_id
        for message_id, attempt in index.first.items()
        if any(attempt.t < drain < done.get(message_id, 0) for drain in drains)
    )
    if not ids:
        return ""
    return (
        f"{len(ids)} of {len(index.first)} messages had an effect only after the workers were "
        f"restarted, because nothing went on any more ({listed(ids)}): "
        "chaos.settle(drain=False) restarts nobody, chaos.settle(timeout=...) waits longer"
    )
