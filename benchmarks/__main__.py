"""Run the benchmarks one after the other, each in a process of its own, and say which and why not.

    python -m benchmarks [--full] [NAME ...]      (make bench ARGS="--full")

Quick (the default): 2 repetitions on small loads, to see that nothing fell off a cliff. Full: 5
repetitions, the figures of docs/reference/performance.md. A benchmark that lacks a tool on this
machine is skipped, by name; one that fails makes the run fail.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Benchmark(NamedTuple):
    """One file beside this one: what it measures, its arguments, what it needs."""

    what: str
    quick: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


BENCHMARKS = {
    "codec_scan": Benchmark("framing: nanoseconds a frame by level of looking"),
    "checkers": Benchmark("P8: checkers over a million events"),
    "p1_p3_proxy": Benchmark(
        "P1, P2, P3, P6: the data plane beside haproxy",
        quick=("--repetitions", "2"),
        full=("--repetitions", "5"),
        programs=("cc", "haproxy"),
    ),
    "p4_kafka": Benchmark(
        "P4: a real Kafka, direct, through haproxy and through the link",
        quick=("--repetitions", "2", "--scale", "0.25"),
        full=("--repetitions", "5"),
        programs=("java", "haproxy"),
        modules=("confluent_kafka", "psutil"),
    ),
}


def lacks(benchmark: Benchmark) -> list[str]:
    """What is not on this machine."""
    programs = [name for name in benchmark.programs if shutil.which(name) is None]
    return programs + [m for m in benchmark.modules if importlib.util.find_spec(m) is None]


def run(name: str, *, full: bool) -> bool:
    """Run one; False if it failed."""
    benchmark = BENCHMARKS[name]
    print(f"\n== {name}: {benchmark.what} (load {os.getloadavg()[0]:.1f})", flush=True)
    missing = lacks(benchmark)
    if missing:
        print(f"skipped: {', '.join(missing)} not found", flush=True)
        return True
    path = str(Path(__file__).with_name(f"{name}.py"))
    arguments = benchmark.full if full else benchmark.quick
    return subprocess.run([sys.executable, path, *arguments], check=False).returncode == 0


def main() -> None:
    """Run those that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--full", action="store_true", help="as many repetitions as count")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    failed = [n for n in options.names or BENCHMARKS if not run(n, full=options.full)]
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
