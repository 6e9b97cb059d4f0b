"""Changing a tape of Kafka frames so that it stays nearly sensible: most of it must get past the
framing to reach the parsers behind it.

It knows length prefixes, header fields, record batches and tags; it needs no fuzzer.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

from fuzz import tape
from fuzz.tape import Chunk, Entry, Event
from pytest_mqchaos.wire.kafka.apis import APIS
from pytest_mqchaos.wire.kafka.batch import seal

SIZES = (
    0,
    1,
    3,
    4,
    7,
    8,
    9,
    0x7FFF,
    0xFFFF,
    1 << 20,
    1 << 30,
    (1 << 30) + 1,
    2**31 - 1,
    -1,
    -(2**31),
)
_I16, _I32 = struct.Struct(">h"), struct.Struct(">i")
_BATCH = struct.Struct(">qiib")
_MAGIC_2 = 2
_EVENTS = 8


def mutate(data: bytes, size: int, dice: Random) -> bytes:
    """One to four changes of a tape, at most `size` bytes."""
    options, entries = tape.read(data)
    pieces = frames(entries)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 4))):
        if dice.random() < 0.1:
            options = dice.randbytes(tape.OPTIONS)
        elif pieces:
            pieces = dice.choice(_ON_TAPE)(pieces, dice)
        else:
            pieces = [Chunk(0, False, dice.randbytes(dice.randrange(64)))]
    return tape.write(options, chunked(pieces, dice))[:size]


def frames(entries: list[Entry]) -> list[Entry]:
    """The same tape, but each chunk one frame where its side speaks in frames."""
    found: list[Entry] = []
    open_: dict[tuple[int, bool], bytearray] = {}
    for entry in entries:
        if isinstance(entry, Event):
            found.append(entry)
            continue
        side = entry.link, entry.to_client
        buffer = open_.setdefault(side, bytearray())
        buffer += entry.data
        while len(buffer) >= 4:
            size = 4 + _I32.unpack_from(buffer)[0]
            if not 4 <= size <= len(buffer):
                break
            found.append(Chunk(*side, bytes(buffer[:size])))
            del buffer[:size]
    found += [Chunk(*side, bytes(rest)) for side, rest in open_.items() if rest]
    return found


def chunked(pieces: list[Entry], dice: Random) -> list[Entry]:
    """Cut frames anywhere, join neighbours of one side, let sides overtake each other half way."""
    if dice.random() < 0.5:
        return pieces
    cut: list[Entry] = []
    for piece in pieces:
        if isinstance(piece, Event) or len(piece.data) < 2 or dice.random() < 0.5:
            cut.append(piece)
            continue
        at = dice.randrange(1, len(piece.data))
        cut += (piece._replace(data=piece.data[:at]), piece._replace(data=piece.data[at:]))
        other = len(cut) - 3
        if other >= 0 and dice.random() < 0.5 and not _same_side(cut[other], piece):
            cut[other], cut[other + 1] = cut[other + 1], cut[other]  # half a frame comes earlier
    return cut


def _same_side(one: Entry, other: Entry) -> bool:
    return isinstance(one, Event) or isinstance(other, Event) or one[:2] == other[:2]


# ---------------------------------------------------------------- changes of the whole tape


def _one_frame(pieces: list[Entry], dice: Random) -> list[Entry]:
    places = [at for at, piece in enumerate(pieces) if isinstance(piece, Chunk) and piece.data]
    if not places:
        return pieces
    at = dice.choice(places)
    piece = pieces[at]
    assert isinstance(piece, Chunk)
    changed = bytearray(piece.data)
    dice.choice(ON_FRAME)(changed, dice)
    return [*pieces[:at], piece._replace(data=bytes(changed)), *pieces[at + 1 :]]


def _remove(pieces: list[Entry], dice: Random) -> list[Entry]:
    at = dice.randrange(len(pieces))
    return pieces[:at] + pieces[at + dice.choice((1, 1, 2, 5)) :]


def _repeat(pieces: list[Entry], dice: Random) -> list[Entry]:
    at, to = dice.randrange(len(pieces)), dice.randrange(len(pieces) + 1)
    return pieces[:to] + pieces[at : at + dice.choice((1, 2, 4))] + pieces[to:]


def _swap(pieces: list[Entry], dice: Random) -> list[Entry]:
    one, other = dice.randrange(len(pieces)), dice.randrange(len(pieces))
    changed = list(pieces)
    changed[one], changed[other] = changed[other], changed[one]
    return changed


def _relink(pieces: list[Entry], dice: Random) -> list[Entry]:
    """Move the rest of the conversation, or one frame, to another connection."""
    at, link = dice.randrange(len(pieces)), dice.randrange(tape.LINKS)
    end = len(pieces) if dice.random() < 0.3 else at + 1
    moved = [p._replace(link=link) if isinstance(p, Chunk) else p for p in pieces[at:end]]
    return pieces[:at] + moved + pieces[end:]


def _insert(pieces: list[Entry], dice: Random) -> list[Entry]:
    at = dice.randrange(len(pieces) + 1)
    kind = dice.randrange(3)
    link, back = dice.randrange(tape.LINKS), dice.random() < 0.5
    new: Entry = Event(dice.randrange(_EVENTS), dice.randrange(256))
    if kind == 1:
        new = Chunk(link, back, dice.randbytes(dice.randrange(40)))
    elif kind == 2:
        body = dice.randbytes(dice.randrange(60))
        key, version = dice.choice(list(APIS)), dice.randrange(-1, 20)
        head = struct.pack(">hhi", key, version, dice.randrange(6))
        new = Chunk(link, False, _I32.pack(len(head) + len(body)) + head + body)
    return [*pieces[:at], new, *pieces[at:]]


_ON_TAPE: tuple[Callable[[list[Entry], Random], list[Entry]], ...] = (
    _one_frame, _one_frame, _one_frame, _one_frame, _remove, _repeat, _swap, _relink, _insert,
)  # fmt: skip


# ---------------------------------------------------------------- changes of one frame


def _flip(frame: bytearray, dice: Random) -> None:
    for _ in range(dice.choice((1, 1, 2, 8))):
        frame[dice.randrange(len(frame))] ^= 1 << dice.randrange(8)


def _byte(frame: bytearray, dice: Random) -> None:
    frame[dice.randrange(len(frame))] = dice.choice(
        (0, 1, 2, 0x7F, 0x80, 0xFF, dice.randrange(256))
    )


def _number(frame: bytearray, dice: Random) -> None:
    """Any four bytes become a length that hurts."""
    if len(frame) >= 8:
        value = dice.choice(SIZES)
        _I32.pack_into(frame, dice.randrange(4, len(frame) - 3), value)


def _prefix(frame: bytearray, dice: Random) -> None:
    if len(frame) >= 4:
        size = len(frame) - 4 + dice.choice((-9, -1, 1, 2, 40))
        _I32.pack_into(frame, 0, dice.choice((*SIZES, size, size, size)))


def _header(frame: bytearray, dice: Random) -> None:
    if len(frame) < 12:
        return
    which = dice.randrange(3)
    if which == 0:
        key = dice.choice((*APIS, 93, 999, -1, 0x7FFF))
        _I16.pack_into(frame, 4, key)
    elif which == 1:
        _I16.pack_into(frame, 6, dice.choice((*range(20), -1, 255, 256, 0x7FFF)))
    else:
        _I32.pack_into(frame, dice.choice((4, 8)), dice.choice((0, 1, 2, -1, 2**31 - 1)))


def _resize(frame: bytearray, dice: Random) -> None:
    """Take bytes out or put some in; the prefix follows, or not."""
    at = dice.randrange(len(frame))
    many = dice.choice((1, 1, 2, 4, 16))
    if dice.random() < 0.5:
        del frame[at : at + many]
    else:
        frame[at:at] = dice.choice((dice.randbytes(many), bytes(many), b"\xff" * many))
    _fit(frame, dice)


def _tags(frame: bytearray, dice: Random) -> None:
    """An unknown tagged field where an empty list of them stood (KIP-482)."""
    places = [at for at in range(4, len(frame)) if frame[at] == 0]
    if places:
        at = dice.choice(places[-40:])
        data = dice.randbytes(dice.choice((0, 1, 5)))
        tag = dice.choice((0, 1, 7, 100))
        frame[at : at + 1] = bytes((1, tag, len(data))) + data
        _fit(frame, dice)


def _records(frame: bytearray, dice: Random) -> None:
    """Change a record batch and make its checksum right again."""
    for start, end in batches(bytes(frame)):
        at = dice.choice((dice.randrange(start, end), dice.randrange(start, min(start + 61, end))))
        frame[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, frame[at] ^ 1 << dice.randrange(8)))
        batch = bytearray(frame[start:end])
        seal(batch)
        frame[start:end] = batch


def _fit(frame: bytearray, dice: Random) -> None:
    if len(frame) >= 4 and dice.random() < 0.8:
        _I32.pack_into(frame, 0, len(frame) - 4)


def batches(blob: bytes) -> list[tuple[int, int]]:
    """Where whole record batches of magic 2 seem to stand."""
    found = []
    at = 0
    while (at := blob.find(b"\x02", at + 1)) >= 0:
        start = at - 16
        if start >= 0 and start + 61 <= len(blob):
            size = 12 + _BATCH.unpack_from(blob, start)[1]
            if 61 <= size <= len(blob) - start:
                found.append((start, start + size))
    return found[-4:]


ON_FRAME: tuple[Callable[[bytearray, Random], None], ...] = (
    _flip, _byte, _number, _prefix, _header, _resize, _tags, _records,
)  # fmt: skip
