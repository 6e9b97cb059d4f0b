"""A codec that decodes each frame of one run once, however often the run is transcribed.

Frames of one run are known by their seq, and later transcripts begin with the frames of earlier
ones: so the codec under it still sees each frame once and in order, which fetch sessions need. It
knows nothing of what a frame means.
"""

from __future__ import annotations

from pytest_mqchaos.frames import Frame, Sighting
from pytest_mqchaos.relay.transcript_reading import Decoder


class DecodedOnce:
    """See `Decoder`."""

    def __init__(self, codec: Decoder) -> None:
        self._codec = codec
        self._said: dict[int, Sighting] = {}
        self.topic_names = codec.topic_names

    def name_of(self, kind: int) -> str:
        """The protocol's word for a frame kind."""
        return self._codec.name_of(kind)

    def decode(self, frame: Frame) -> Sighting:
        """What a frame means, from memory if it was asked before."""
        said = self._said.get(frame.seq)
        if said is None:
            said = self._said[frame.seq] = self._codec.decode(frame)
        return said
