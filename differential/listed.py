"""Differences that are known and meant, each with its reason.

docs/reference/embedded-kafka.md tells them to users; nothing is listed here that is not there.
"""

from __future__ import annotations

from collections.abc import Callable

from differential.compare import Difference
from differential.conversation import Conversation

Rule = Callable[[Conversation, Difference], bool]

_LISTED: dict[str, Rule] = {}


def reason(conversation: Conversation, told: Difference) -> str | None:
    """Why this difference is no fault, or None if it is one."""
    return next((why for why, rule in _LISTED.items() if rule(conversation, told)), None)
