"""The history file, as a crash, a full disk or another version may have left it.

Held: `PeerError` or whole entries, nothing else; what was read packs to the very bytes it came from
(nothing is invented), and a torn end is left out.
"""

from __future__ import annotations

import json
import struct
from functools import cache
from random import Random

from fuzz.targets import engine
from pytest_mqchaos.errors import PeerError
from pytest_mqchaos.history.spool import FrameEntry, pack_frame, pack_note, read

WHAT = "the history file"
_HEAD = struct.Struct("<IBQQ")
_NOTES = ("link", "closing", "fate", "answered", "rule", "topics", "blind", "undecoded", "closed")


@cache
def tapes() -> tuple[bytes, ...]:
    """Histories that the engine wrote of recorded conversations."""
    found = [b"".join(engine.play(seed).packed) for seed in engine.seeds()]
    return tuple(dict.fromkeys(found))


def seeds() -> list[bytes]:
    """Short histories."""
    return [tape for tape in tapes() if len(tape) < 8192]


def entries(data: bytes) -> list[bytes]:
    """The entries of a history as they stand, the last one with whatever is behind it."""
    found, at = [], 0
    while len(data) - at >= _HEAD.size:
        size = _HEAD.unpack_from(data, at)[0]
        if not _HEAD.size <= size <= len(data) - at:
            break
        found.append(data[at : at + size])
        at += size
    return [*found, data[at:]] if at < len(data) else found


def mutate(data: bytes, size: int, dice: Random) -> bytes:
    """Change, tear, repeat or move entries; make their lengths right again, or not."""
    pieces = [bytearray(piece) for piece in entries(data)] or [bytearray(dice.randbytes(30))]
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(pieces))
        dice.choice(_CHANGES)(pieces, at, dice)
        pieces = pieces or [bytearray()]
    return b"".join(pieces)[:size]


def _damage(pieces: list[bytearray], at: int, dice: Random) -> None:
    piece = pieces[at]
    if piece:
        where = dice.randrange(len(piece))
        value = dice.choice((0, 1, 2, 0x7F, 0x80, 0xFF, piece[where] ^ 1 << dice.randrange(8)))
        piece[where] = value


def _resize(pieces: list[bytearray], at: int, dice: Random) -> None:
    piece = pieces[at]
    where = dice.randrange(len(piece) + 1)
    if dice.random() < 0.5:
        del piece[where : where + dice.choice((1, 4, 30))]
    else:
        piece[where:where] = dice.randbytes(dice.choice((1, 4, 30)))
    _fit(piece, dice)


def _move(pieces: list[bytearray], at: int, dice: Random) -> None:
    piece = pieces.pop(at) if dice.random() < 0.5 else bytearray(pieces[at])
    pieces.insert(dice.randrange(len(pieces) + 1), piece)


def _remove(pieces: list[bytearray], at: int, dice: Random) -> None:
    del pieces[at : at + dice.choice((1, 1, 3))]


def _note(pieces: list[bytearray], at: int, dice: Random) -> None:
    values = (1, 0, -1, None, "x", [], {}, True, 1.5, {"zz": 1}, {"00" * 16: "t"}, 2**70)
    fields = (
        "link",
        "owner",
        "frame",
        "fate",
        "by",
        "code",
        "rule",
        "what",
        "text",
        "names",
        "why",
    )
    body = {name: dice.choice(values) for name in dice.sample(fields, dice.randrange(6))}
    body["note"] = dice.choice((*_NOTES, 1))
    text = json.dumps(dice.choice((body, body, body, [body], "x", 3))).encode()
    pieces.insert(at, bytearray(_HEAD.pack(_HEAD.size + len(text), 2, at, at) + text))


def _fit(piece: bytearray, dice: Random) -> None:
    if len(piece) >= 4 and dice.random() < 0.8:
        struct.pack_into("<I", piece, 0, len(piece))


_CHANGES = (_damage, _damage, _damage, _resize, _move, _remove, _note)


def one(data: bytes) -> None:
    """Read one file."""
    at = 0
    try:
        for entry in read(data):
            size = struct.unpack_from("<I", data, at)[0]
            if isinstance(entry, FrameEntry):
                assert pack_frame(entry) == data[at : at + size]
            else:
                told = json.loads(data[at + _HEAD.size : at + size])
                assert entry.body == told or told != told  # noqa: PLR0124 - NaN
                assert pack_note(entry)[4 : _HEAD.size] == data[at + 4 : at + _HEAD.size]
            at += size
    except PeerError:
        return
    left = len(data) - at
    assert left < _HEAD.size or struct.unpack_from("<I", data, at)[0] > left
