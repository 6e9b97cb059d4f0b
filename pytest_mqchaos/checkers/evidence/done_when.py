"""When a message was done, as far as its effects tell, and whether an ack came before that.

It knows instants and intervals; it must never say whose effect one is.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_mqchaos.checkers.evidence.moved_on import NEVER, Span
from pytest_mqchaos.history.rows import Ack, Effect


def spans(effects: Iterable[Effect]) -> list[Span]:
    """When the effect was complete: per part the first, of these the last."""
    parts: dict[str | None, Span] = {}
    for effect in effects:
        span = Span(effect.t_from, effect.t_to or NEVER)
        one = parts.get(effect.part, span)
        parts[effect.part] = Span(min(one.low, span.low), min(one.high, span.high))
    if not parts:
        return []
    return [Span(max(s.low for s in parts.values()), max(s.high for s in parts.values()))]


def early(known: Iterable[Span], ack: Ack) -> bool | None:
    """Whether the ack came before the message was done; None = not known."""
    known = list(known)
    if any(span.high <= ack.t for span in known):
        return False
    return True if all(span.low > ack.t for span in known) else None
