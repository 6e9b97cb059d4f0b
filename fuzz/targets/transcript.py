"""Histories that were changed behind our back, judged: the way from the file to the verdict.

Held: `PeerError` or a verdict of every question; no checker raises; where a frame that carries data
could not be read, no question about effects passes on the strength of what was not seen.
"""

from __future__ import annotations

from dataclasses import replace

from fuzz.targets import spool
from pytest_mqchaos.checkers.registry import checker
from pytest_mqchaos.errors import PeerError
from pytest_mqchaos.history.history import Flow, History
from pytest_mqchaos.history.identity import Identity
from pytest_mqchaos.history.rows import Effect
from pytest_mqchaos.history.spool import read
from pytest_mqchaos.relay.transcript import Transcript, transcribe
from pytest_mqchaos.wire.kafka.codec import KafkaCodec

WHAT = "changed histories: transcript and checkers"
IDENTITY = Identity.parse("value")
QUESTIONS = {
    "lossless": {},
    "idempotent": {"state": {}},
    "ordered": {},
    "exactly_once": {"state": {}},
    "latest": {},
    "acked_after_effect": {},
    "confirmed_before_success": {},
    "no_gaps": {"per": ("key", "value")},
    "no_copies": {},
    "attempts": {"at_most": 2},
    "dead_lettered": {"ids": ["x"]},
    "delivery": {"cls": "at_least_once"},
    "same_outcome": {"baseline": {"x": None}},
}
seeds = spool.seeds
mutate = spool.mutate


def one(data: bytes) -> None:
    """Read and judge one history."""
    try:
        entries = list(read(data))
        found = transcribe(entries, codec=KafkaCodec(), identity=IDENTITY)
    except PeerError:
        return
    history = history_of(found)
    for name, options in QUESTIONS.items():
        verdict = checker(name, **options)(history)
        assert verdict.status in ("passed", "failed", "unknown")
        hidden = bool(found.gaps) and not found.gap_topics
        assert not (hidden and name == "lossless" and verdict.status == "passed"), verdict


def history_of(found: Transcript, *, effects: tuple[Effect, ...] | None = None) -> History:
    """These rows, and what a correct service would have left behind: one effect a message that was
    delivered, unless `effects` are given."""
    done: dict[str, Effect] = {}
    for row in found.deliveries:
        if row.id is not None:
            done.setdefault(row.id, _effect(len(done), row.id, row.t))
    history = History(
        attempts=found.attempts,
        deliveries=found.deliveries,
        acks=found.acks,
        effects=tuple(done.values()) if effects is None else effects,
        rule_events=found.rule_events,
        gaps=found.gaps,
        gap_topics=found.gap_topics,
        unidentified=found.unidentified,
        links=found.links,
        readers=found.consumers,
    )
    return replace(history, flow=Flow(inputs=found.topics, dead_letters=frozenset({"dead"})))


def _effect(order: int, name: str, t: int) -> Effect:
    return Effect(order, t, t, name, None, None, None, None, "worker-0#1", False, True)
