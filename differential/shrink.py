"""The shortest conversation that still shows a difference: steps are left out while it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from differential.conversation import Conversation

Shows = Callable[[Conversation], bool]


def shrunk(conversation: Conversation, shows: Shows, last: int) -> Conversation:
    """`last` is the step that differs: nothing behind it is needed."""
    best = replace(conversation, steps=conversation.steps[: last + 1])
    size = max(1, (len(best.steps) - 1) // 2)
    while size:
        at = 0
        while at < len(best.steps) - 1:
            left = [*best.steps[:at], *best.steps[at + size :]]
            shorter = replace(best, steps=left)
            if len(left) < len(best.steps) and left and shows(shorter):
                best = shorter
            else:
                at += size
        size //= 2
    return best
