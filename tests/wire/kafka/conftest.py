"""What the Kafka codec's tests share: a shell that feeds a scanner, and frames built with kio."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import pytest

from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.wire.kafka.apis import KEYS
from pytest_mqchaos.wire.kafka.entities import write_reply, write_request
from pytest_mqchaos.wire.kafka.scanner import KafkaScanner


class Fed(NamedTuple):
    """`out` is everything that left, decided frames included; `streamed` only what left unasked."""

    out: bytes
    streamed: bytes
    decided: list[Frame]


@pytest.fixture(scope="session")
def drive() -> Callable[..., Fed]:
    """Feed chunks as the data plane does: one buffer, forward and parse positions apart."""

    def run(scanner: KafkaScanner, direction: Direction, chunks: Iterable[bytes]) -> Fed:
        buf, parsed, sent = bytearray(), 0, 0
        out, streamed, decided = bytearray(), bytearray(), []
        for chunk in chunks:
            buf += chunk
            while parsed <= len(buf):
                cut = scanner.scan(direction, buf, parsed, len(buf))
                assert cut.parsed >= parsed, "never backwards"
                assert sent <= cut.forward <= len(buf), "what left cannot be called back"
                out += buf[sent : cut.forward]
                streamed += buf[sent : cut.forward]
                parsed, sent = cut.parsed, cut.forward
                if cut.frame is None:
                    break
                assert cut.frame.raw == buf[sent:parsed]
                decided.append(cut.frame)
                out += cut.frame.raw
                sent = parsed
            if parsed > len(buf):
                out += buf[sent:]
                streamed += buf[sent:]
                sent = len(buf)
        return Fed(bytes(out), bytes(streamed), decided)

    return run


@pytest.fixture(scope="session")
def ask() -> Callable[..., bytes]:
    """A whole request by API name."""

    def build(
        name: str, version: int, correlation: int = 1, client: str | None = "app", **fields: Any
    ) -> bytes:
        return write_request(KEYS[name], version, correlation, client, fields)

    return build


@pytest.fixture(scope="session")
def answer() -> Callable[..., bytes]:
    """A whole reply by API name."""

    def build(name: str, version: int, correlation: int = 1, **fields: Any) -> bytes:
        return write_reply(KEYS[name], version, correlation, fields)

    return build


@pytest.fixture(scope="session")
def frame_of() -> Callable[..., Frame]:
    """A `Frame` around bytes."""

    def build(
        name: str, version: int, raw: bytes, *, reply: bool = False, request: Frame | None = None
    ) -> Frame:
        return Frame(
            direction=Direction(int(reply)),
            kind=KEYS[name],
            version=version,
            correlation=int.from_bytes(raw[4:8] if reply else raw[8:12], "big"),
            name=name,
            raw=raw,
            request=request,
        )

    return build


@pytest.fixture(scope="session")
def produce(ask) -> Callable[..., bytes]:
    """A Produce request with one records blob."""

    def build(
        version: int, blob: bytes, correlation: int = 1, acks: int = -1, **more: Any
    ) -> bytes:
        parts: list[Mapping[str, Any]] = [{"index": 0, "records": blob}]
        topic = {"name": "t", "topic_id": bytes(15) + b"\1", "partition_data": parts}
        return ask("Produce", version, correlation, acks=acks, topic_data=[topic], **more)

    return build
