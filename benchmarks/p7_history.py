"""P7: what keeping a history costs the data plane, in ns and bytes a message.

    python -m benchmarks.p7_history [--repetitions 7]

One process, no sockets: Produce requests and their replies are fed to an engine, with and without
recording in turn; the difference in CPU time is the history's. A frame goes whole into the file, so
what counts beside its own bytes is the head of its entry.
"""

from __future__ import annotations

import argparse
import struct
import tempfile
import time
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figures, Table, goal, spread
from pytest_mqchaos.dataplane.recorder import Recorder
from pytest_mqchaos.frames import Direction, Record
from pytest_mqchaos.relay.engine import Engine
from pytest_mqchaos.wire.kafka.apis import PRODUCE
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.entities import write_reply, write_request
from pytest_mqchaos.wire.kafka.records import build_batch

SIZE = 100  # bytes of a value
BATCHES = (1, 10, 100)  # messages a request
ROOM = 128 * 1024  # bytes fed at once, about what one read brings


def frames(batch: int) -> tuple[bytes, bytes]:
    """One Produce request with that many messages, and its reply; correlation id 0."""
    headers = (("mqchaos-id", b"id-12345"),)
    rows = [Record("t", 0, n, b"key", bytes(SIZE), headers, 1000) for n in range(batch)]
    parts = [{"index": 0, "records": build_batch(rows, base_offset=0)}]
    fields = {
        "acks": -1,
        "timeout_ms": 1000,
        "topic_data": [{"name": "t", "partition_data": parts}],
    }
    request = write_request(PRODUCE, 8, 0, "client", fields)
    answers = [{"index": 0, "error_code": 0, "base_offset": 7}]
    reply = {"responses": [{"name": "t", "partition_responses": answers}]}
    return request, write_reply(PRODUCE, 8, 0, reply)


def numbered(frame: bytes, at: int, count: int) -> bytearray:
    """So many copies, each with a correlation id of its own."""
    made = bytearray(frame * count)
    for number in range(count):
        struct.pack_into(">i", made, number * len(frame) + at, number)
    return made


def unmoved(_owner: str, _node: int, host: str, port: int) -> tuple[str, int]:
    """No address is replaced."""
    return host, port


def run(batch: int, path: Path, messages: int, *, record: bool) -> tuple[float, int, int]:
    """(CPU ns, bytes in the file, bytes of the frames)."""
    request, reply = frames(batch)
    many = max(1, ROOM // len(request))
    out, back = numbered(request, 8, many), numbered(reply, 4, many)
    path.unlink(missing_ok=True)
    recorder = Recorder(print)
    recorder.open(str(path))
    engine = Engine(
        codec=KafkaCodec(),
        sink=recorder.append,
        address=unmoved,
    )
    engine.begin({"record": record}, 0)
    link = engine.open("worker-1", 1, 0)
    assert link is not None
    began, rounds = time.process_time_ns(), max(1, messages // (many * batch))
    for now in range(rounds):
        link.scan(Direction.TO_BROKER, out, 0, len(out), now)
        link.scan(Direction.TO_CLIENT, back, 0, len(back), now)
        recorder.relieve()
    written = recorder.flush()
    took = time.process_time_ns() - began
    recorder.close()
    total = rounds * many * batch
    return took / total, written, rounds * (len(out) + len(back))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--messages", type=int, default=100_000)
    options = parser.parse_args()
    rows, goals = [], []
    before = figures.load()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history"
        for batch in BATCHES:
            run(batch, path, options.messages, record=True)  # warms up
            costs, heads, bare = [], 0.0, []
            for _ in range(options.repetitions):
                without = run(batch, path, options.messages, record=False)
                with_, written, own = run(batch, path, options.messages, record=True)
                count = options.messages // batch * batch
                costs.append(with_ - without[0])
                bare.append(without[0])
                heads = (written - own) / count
            rows.append((f"{batch}", spread(bare), spread(costs), f"{heads:.1f}"))
            what = f"history, {batch} message{'s' if batch > 1 else ''} a request"
            goals.append(
                goal("P7", what, costs, most=200, show=lambda value: f"{value:.0f} ns a message")
            )
            goals.append(
                goal("P7", what, [heads], most=30, show=lambda value: f"{value:.1f} B a message")
            )
    figures.done(
        Figures(
            conditions=f"{options.repetitions} repetitions in turn, CPU time of one process; load "
            f"{before:.1f} before, {figures.load():.1f} after.",
            tables=(
                Table(
                    title="P7: the history", words=1, rows=tuple(rows),
                    head=("messages a request", "ns a message without",
                          "ns a message more with history", "bytes a message beside the frames"),
                    note=f"Values of {SIZE} bytes with a key and an id; both frames in the file.",
                ),
            ),
            goals=tuple(goals),
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
