"""P11: how long a start takes: the data plane, an embedded cluster (first and next), collecting.

    python -m benchmarks.p11_start [--repetitions 10]

Whatever is compared is started in turn. The reference of the data plane is an interpreter that ends
at once; that of collecting is the same pytest without our plugin.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figures, Table, goal, spread
from pytest_mqchaos.brokers.embedded import EmbeddedKafka
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.dataplane.controller import DataPlane

BARE = "an interpreter that ends at once"
READY = "data plane ready"
FIRST = "embedded cluster answers, the first"
NEXT = "embedded cluster answers, the next"
WITHOUT = "pytest --collect-only without the plugin"
WITH = "pytest --collect-only with it, unused"


def took(argv: list[str], folder: Path) -> float:
    """Milliseconds that a command takes."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ""}
    began = time.perf_counter()
    subprocess.run(argv, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1e3


def cluster(plane: DataPlane) -> float:
    """Milliseconds until a fresh embedded cluster has answered."""
    began = time.perf_counter()
    broker = EmbeddedKafka(plane=plane)
    broker.start()
    with Direct(broker.addresses()[1], timeout=30.0) as direct:
        direct.wait_ready()
    return (time.perf_counter() - began) * 1e3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=10)
    repetitions = parser.parse_args().repetitions
    found: dict[str, list[float]] = {}
    before = figures.load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_one.py").write_text("def test_one():\n    assert True\n")
        pytest = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider"]
        for repetition in range(repetitions + 1):
            one = {BARE: took([sys.executable, "-c", "0"], folder)}
            with DataPlane() as plane:
                one[READY] = plane.ready_after * 1e3
                one[FIRST], one[NEXT] = cluster(plane), cluster(plane)
            pair = {WITHOUT: pytest, WITH: [*pytest, "-p", "pytest_mqchaos.plugin"]}
            for what in (*pair,) if repetition % 2 else reversed(pair):
                one[what] = took(pair[what], folder)
            for what, value in one.items() if repetition else ():  # the first fills file caches
                found.setdefault(what, []).append(value)
    slower = [a - b for a, b in zip(found[WITH], found[WITHOUT], strict=True)]
    found["... slower by"] = slower
    rows = tuple((what, spread(found[what], 1)) for what in found)

    def ms(value: float) -> str:
        return f"{value:.0f} ms"

    figures.done(
        Figures(
            conditions=f"{repetitions} repetitions in turn after one that fills the file caches; "
            f"load {before:.1f} before, {figures.load():.1f} after.",
            tables=(Table(title="P11: starting", head=("what", "ms"), rows=rows, words=1),),
            goals=(
                goal("P11", READY, found[READY], most=60, show=ms),
                goal("P11", FIRST, found[FIRST], most=250, show=ms),
                goal("P11", NEXT, found[NEXT], most=5, show=ms),
                goal("P11", "collecting is slower by", slower, most=20, show=ms),
            ),
        )
    )


if __name__ == "__main__":
    main()
