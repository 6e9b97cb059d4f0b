"""A history of a real conversation, damaged one frame at a time: what can no longer be read makes
verdicts unknown, never others."""

from __future__ import annotations

import pytest

from fixtures.recording.reading import load
from fuzz.mutator import batches
from fuzz.play import Play
from fuzz.tape import Chunk
from fuzz.targets.transcript import IDENTITY, history_of
from pytest_mqchaos.checkers.registry import checker
from pytest_mqchaos.frames import Direction
from pytest_mqchaos.history.spool import FrameEntry, read
from pytest_mqchaos.relay.transcript import transcribe
from pytest_mqchaos.wire.kafka.apis import FETCH, PRODUCE
from pytest_mqchaos.wire.kafka.codec import KafkaCodec

QUESTIONS = {
    "lossless": {},
    "idempotent": {"state": {}},
    "ordered": {},
    "acked_after_effect": {},
    "confirmed_before_success": {},
    "no_copies": {},
}


def entries_of(name):
    played = Play()
    for line in load(name):
        played.say(Chunk(line.link, line.back, line.frame))
    return list(read(b"".join(played.packed)))


def transcript(entries):
    return transcribe(entries, codec=KafkaCodec(), identity=IDENTITY)


def verdicts(entries, effects):
    """What is said of these frames, with the effects that the service really had."""
    found = transcript(entries)
    history = history_of(found, effects=effects)
    return found, {name: checker(name, **how)(history).status for name, how in QUESTIONS.items()}


def carries(entry):
    return isinstance(entry, FrameEntry) and entry.kind in (PRODUCE, FETCH)


def idle(entry, entries):
    """A question that nobody answered hides nothing."""
    told = {one.request_seq for one in entries if isinstance(one, FrameEntry)}
    return entry.kind == FETCH and entry.direction == Direction.TO_BROKER and entry.seq not in told


def torn(raw):
    return raw[:-1]


def rotten(raw):
    """One bit of a record is another one; the length stays, the checksum tells."""
    found = batches(raw)
    if not found:
        return None
    data = bytearray(raw)
    data[found[-1][1] - 3] ^= 4
    return bytes(data)


@pytest.mark.parametrize("damage", [torn, rotten])
@pytest.mark.parametrize("name", ["aiokafka-idempotent", "confluent-seek", "kafka-python-seek"])
def test_a_frame_that_cannot_be_read_any_more_makes_unknown_never_another_verdict(name, damage):
    entries = entries_of(name)
    effects = history_of(transcript(entries)).effects
    whole, before = verdicts(entries, effects)
    assert whole.gaps == ()
    damaged = 0
    for at, entry in enumerate(entries):
        raw = damage(entry.raw) if carries(entry) else None
        if raw is None:
            continue
        damaged += 1
        found, after = verdicts(
            [*entries[:at], entry._replace(raw=raw), *entries[at + 1 :]], effects
        )
        assert found.gaps or idle(entry, entries), "it was counted"
        assert all(after[question] in {before[question], "unknown"} for question in before)
        if entry.kind == PRODUCE and entry.direction == Direction.TO_BROKER:
            assert after["lossless"] != "passed", "a message may be in it that nobody processed"
    assert damaged
