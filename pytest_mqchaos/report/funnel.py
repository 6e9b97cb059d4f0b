"""How many messages came how far, in one line."""

from __future__ import annotations

from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import index_of

SEPARATOR = " · "


def funnel(history: History) -> str:
    """`published 50 · confirmed 50 · stored 51 · ...`; a stage that nobody looked at says so."""
    counts = dict(index_of(history).funnel)
    words = [f"{stage} {count}" for stage, count in counts.items()]
    if not history.read_back:
        words = _replace(words, "stored", "not read back")
    if history.effects is None:
        words = _replace(words, "effects", "not declared")
    return SEPARATOR.join(words)


def _replace(words: list[str], stage: str, said: str) -> list[str]:
    return [f"{stage} {said}" if word.split()[0] == stage else word for word in words]
