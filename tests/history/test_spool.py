"""The history file as a crash, a full disk or another program may have left it."""

from __future__ import annotations

import struct

import pytest

from pytest_mqchaos.errors import PeerError
from pytest_mqchaos.history.spool import FrameEntry, NoteEntry, pack_frame, pack_note, read

FRAME = FrameEntry(1, 10, 3, 0, 0, 9, 0, 0, b"raw bytes")
NOTE = NoteEntry(2, 11, {"note": "link", "link": 3})


def entry(kind, rest):
    return struct.pack("<IBQQ", 21 + len(rest), kind, 1, 1) + rest


def test_what_was_packed_is_read_again():
    assert list(read(pack_frame(FRAME) + pack_note(NOTE))) == [FRAME, NOTE]


def test_a_torn_last_entry_is_left_out_wherever_it_is_torn():
    whole = pack_frame(FRAME)
    for last in (whole, pack_note(NOTE)):
        for end in range(len(last)):
            assert list(read(whole + last[:end])) == [FRAME]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (entry(9, b""), "entry type 9"),
        (bytes(30), "entry type 0, size 0"),
        (entry(1, b"short"), "entry type 1, size 26"),
        (entry(1, struct.pack("<IBhhQB", 1, 2, 0, 0, 0, 0)), "direction 2"),
        (entry(2, b""), "a note that is no JSON"),
        (entry(2, b"{"), "a note that is no JSON"),
        (entry(2, b"\xff\xfe"), "a note that is no JSON"),
        (entry(2, b"[" * 100_000), "a note that is no JSON"),
        (entry(2, b"[1]"), "a note that is no JSON object"),
    ],
)
def test_what_cannot_be_an_entry_is_the_writers_error(data, says):
    with pytest.raises(PeerError, match=says):
        list(read(pack_frame(FRAME) + data))
