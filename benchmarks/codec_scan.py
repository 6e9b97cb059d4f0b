"""How many Kafka frames a second the scanner steps over, per size and level of looking.

python benchmarks/codec_scan.py
"""

from __future__ import annotations

import statistics
import struct
import time

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
    """Print one line per size and level."""
    cases = {
        "skip (Heartbeat)": (12, 3, Interest()),
        "skip (Produce v7)": (0, 7, Interest()),
        "note (Produce v7, track)": (0, 7, Interest(track=True)),
        "record (Produce v7)": (0, 7, Interest(track=True, record=True)),
    }
    for size in (64, 1024):
        for name, (key, version, interest) in cases.items():
            ask, answer = measure(size, key, version, interest)
            print(
                f"{size:5} B  {name:26} request {ask:7.0f} ns ({1e3 / ask:5.2f} M/s)"
                f"   reply {answer:7.0f} ns ({1e3 / answer:5.2f} M/s)"
            )


if __name__ == "__main__":
    main()
