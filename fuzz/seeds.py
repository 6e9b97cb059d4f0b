"""Where campaigns start: the recorded conversations of real clients with real Kafka, as tapes."""

from __future__ import annotations

from functools import cache

from fixtures.recording import reading
from fuzz import tape
from fuzz.tape import Chunk

_SHORT = 1500  # bytes; longer inputs only slow every run down


@cache
def conversations() -> tuple[tuple[Chunk, ...], ...]:
    """Each link of each recording as its frames, in the order in which they crossed the wire."""
    recordings = [reading.load(name) for name in reading.names()]
    return tuple(
        tuple(Chunk(0, line.back, line.frame) for line in lines if line.link == link)
        for lines in recordings
        for link in sorted({line.link for line in lines})
    )


def tapes(*options: bytes) -> list[bytes]:
    """Pieces of every recording, each short enough to be changed quickly, under each option."""
    return [
        tape.write(chosen, piece)
        for frames in conversations()
        for piece in _pieces(frames)
        for chosen in options
    ]


def _pieces(frames: tuple[Chunk, ...]) -> list[list[Chunk]]:
    """Cut between a reply and the next request, where nothing is under way."""
    pieces: list[list[Chunk]] = [[]]
    asked = 0
    for frame in frames:
        if asked <= 0 and sum(len(kept.data) for kept in pieces[-1]) > _SHORT:
            pieces.append([])
        pieces[-1].append(frame)
        asked += -1 if frame.to_client else 1
    return [piece for piece in pieces if sum(len(kept.data) for kept in piece) < 4 * _SHORT]
