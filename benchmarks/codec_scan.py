"""How many Kafka frames a second the scanner steps over, per size and level of looking.

    python -m benchmarks.codec_scan

No sockets: one scanner over one buffer.
"""

from __future__ import annotations

import statistics
import struct
import time

from benchmarks import figures
from benchmarks.figures import Figures, Table
from pytest_mqchaos.frames import Direction
from pytest_mqchaos.wire.base import Interest
from pytest_mqchaos.wire.kafka.scanner import KafkaScanner

HEADER = struct.Struct(">ihhihh")
BUFFER = 256 * 1024


def frames(size: int, key: int, version: int) -> tuple[bytearray, int]:
    """Fill a buffer with requests of `size` bytes each (length prefix included)."""
    body = b"cl" + struct.pack(">h", -1) + struct.pack(">h", 1)
    count = BUFFER // size
    out = bytearray()
    for number in range(count):
        out += (HEADER.pack(size - 4, key, version, number, 2, 0)[:-2] + body).ljust(size, b"\1")
    return out, count


def replies(size: int, count: int) -> bytearray:
    """The replies to `count` requests."""
    out = bytearray()
    for number in range(count):
        out += struct.pack(">ii", size - 4, number).ljust(size, b"\0")
    return out


def measure(size: int, key: int, version: int, interest: Interest) -> tuple[float, float]:
    """Nanoseconds a frame for requests and for their replies, median of seven runs."""
    out, count = frames(size, key, version)
    back = replies(size, count)
    runs = []
    for _ in range(7):
        ask = answer = 0.0
        for _ in range(max(1, 20_000 // count)):
            scanner = KafkaScanner()
            scanner.look(interest)
            begin = time.perf_counter()
            scanner.scan(Direction.TO_BROKER, out, 0, len(out))
            middle = time.perf_counter()
            scanner.scan(Direction.TO_CLIENT, back, 0, len(back))
            ask += middle - begin
            answer += time.perf_counter() - middle
        total = count * max(1, 20_000 // count)
        runs.append((ask / total * 1e9, answer / total * 1e9))
    return statistics.median(r[0] for r in runs), statistics.median(r[1] for r in runs)


def main() -> None:
    """One row per size and level."""
    cases = {
        "skipped (Heartbeat)": (12, 3, Interest()),
        "skipped (Produce v7)": (0, 7, Interest()),
        "noted (Produce v7, track)": (0, 7, Interest(track=True)),
        "recorded (Produce v7)": (0, 7, Interest(track=True, record=True)),
    }
    rows = []
    for size in (64, 1024):
        for name, (key, version, interest) in cases.items():
            ask, answer = measure(size, key, version, interest)
            rows.append((f"{size} B", name, f"{ask:.0f}", f"{answer:.0f}"))
    head = ("frame", "level of looking", "request, ns", "its reply, ns")
    table = Table(title="Framing", head=head, rows=tuple(rows))
    figures.done(Figures(conditions="Median of seven runs.", tables=(table,)))


if __name__ == "__main__":
    main()
