"""Transcribed again and again, each frame is decoded once and in order."""

from pytest_mqchaos.frames import Direction, Frame, Point, Sighting
from pytest_mqchaos.relay.decoded_once import DecodedOnce


class Codec:
    def __init__(self):
        self.topic_names = {}
        self.seen = []

    def name_of(self, kind):
        return f"api {kind}"

    def decode(self, frame):
        self.seen.append(frame.seq)
        return Sighting(point=Point.CONTROL, name=f"frame {frame.seq}")


def frame(seq):
    return Frame(
        direction=Direction.TO_BROKER, kind=1, version=0, correlation=0, name="x", raw=b"", seq=seq
    )


def test_a_longer_transcript_decodes_only_what_is_new():
    codec = Codec()
    once = DecodedOnce(codec)
    first = [once.decode(frame(seq)).name for seq in (1, 2)]
    second = [once.decode(frame(seq)).name for seq in (1, 2, 3)]
    assert second == [*first, "frame 3"]
    assert codec.seen == [1, 2, 3]


def test_names_are_those_of_the_codec():
    codec = Codec()
    once = DecodedOnce(codec)
    once.topic_names[b"id"] = "orders"
    assert codec.topic_names == {b"id": "orders"}
    assert once.name_of(7) == "api 7"
