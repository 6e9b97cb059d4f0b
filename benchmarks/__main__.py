"""Run the benchmarks one after the other, each in a process of its own, and say which and why not.

    python -m benchmarks [--full] [--write] [NAME ...]      (make bench ARGS="--full")

Quick (the default): 2 repetitions on small loads, to see that nothing fell off a cliff. Full: 5
repetitions or more, the figures of docs/reference/performance.md, which --write puts there.
p14_memory takes ten minutes and runs only when it is named. A benchmark that lacks a tool on this
machine is skipped, by name; one that fails makes the run fail.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import page
from benchmarks.figures import OUT, Figures, read


class Benchmark(NamedTuple):
    """One module beside this one: what it measures, its arguments, what it needs."""

    what: str
    quick: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    when_named: bool = False  # takes too long to be a part of "all"


BENCHMARKS = {
    "codec_scan": Benchmark("framing: nanoseconds a frame by level of looking"),
    "p1_p3_proxy": Benchmark(
        "P1, P2, P3, P6: the data plane beside haproxy and Toxiproxy",
        quick=("--repetitions", "2"),
        full=("--repetitions", "7"),
        programs=("cc", "haproxy", "taskset"),
        modules=("psutil",),
    ),
    "p4_kafka": Benchmark(
        "P4: a real Kafka, direct, through the proxies and through the link",
        quick=("--repetitions", "1", "--scale", "0.25"),
        full=("--repetitions", "5"),
        programs=("java", "haproxy"),
        modules=("confluent_kafka", "psutil"),
    ),
    "p5_one_message": Benchmark(
        "P5: one Kafka message at a time",
        quick=("--repetitions", "2", "--messages", "500"),
        full=("--repetitions", "5"),
        programs=("java", "haproxy"),
        modules=("confluent_kafka", "psutil"),
    ),
    "p7_history": Benchmark(
        "P7: the history", quick=("--repetitions", "3"), full=("--repetitions", "9")
    ),
    "checkers": Benchmark(
        "P8: checkers over a million events", quick=("--repetitions", "3"), full=("--large",)
    ),
    "p11_start": Benchmark(
        "P11: start", quick=("--repetitions", "3"), full=("--repetitions", "10")
    ),
    "p10_virtual": Benchmark(
        "P9, P10: scenarios over sockets and in virtual time",
        quick=("--repetitions", "1", "--seconds", "1"),
        full=("--repetitions", "5"),
        modules=("aiokafka", "hypothesis"),
    ),
    "p13_sweep": Benchmark(
        "P13: a sweep, every fault at every point",
        quick=("--repetitions", "1", "--messages", "5"),
        full=("--repetitions", "3"),
        modules=("aiokafka",),
    ),
    "p12_shrink": Benchmark(
        "P12: runs that shrinking a plan of 30 faults takes",
        quick=("--repetitions", "3"),
        full=("--repetitions", "20"),
        modules=("aiokafka",),
    ),
    "p15_replicated": Benchmark(
        "P15: the embedded cluster with three replicas beside one",
        quick=("--repetitions", "2", "--scale", "0.2"),
        full=("--repetitions", "7"),
        modules=("confluent_kafka",),
    ),
    "p14_memory": Benchmark(
        "P14: memory at 100 connections, ten minutes long",
        quick=("--minutes", "0.5"),
        full=("--minutes", "10"),
        modules=("aiokafka", "psutil"),
        when_named=True,
    ),
}


def lacks(benchmark: Benchmark) -> list[str]:
    """What is not on this machine."""
    programs = [name for name in benchmark.programs if shutil.which(name) is None]
    return programs + [m for m in benchmark.modules if importlib.util.find_spec(m) is None]


def run(name: str, out: Path, *, full: bool) -> bool:
    """Run one; False if it failed."""
    benchmark = BENCHMARKS[name]
    print(f"\n== {name}: {benchmark.what} (load {os.getloadavg()[0]:.1f})", flush=True)
    missing = lacks(benchmark)
    if missing:
        print(f"skipped: {', '.join(missing)} not found", flush=True)
        return True
    arguments = benchmark.full if full else benchmark.quick
    environment = {**os.environ, OUT: str(out)}
    argv = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    began = time.monotonic()
    done = subprocess.run(argv, check=False, env=environment, cwd=Path(__file__).parents[1])
    print(f"-- {name}: {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode == 0


def main() -> None:
    """Run those that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--full", action="store_true", help="as many repetitions as count")
    parser.add_argument("--write", action="store_true", help=f"put the figures into {page.PAGE}")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    found: dict[str, Figures] = {}
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names or [n for n, each in BENCHMARKS.items() if not each.when_named]:
            out = Path(folder) / f"{name}.json"
            if not run(name, out, full=options.full):
                failed.append(name)
            elif out.exists():
                found[name] = read(out)
                if options.write:  # at once: what was measured is not lost if the next one fails
                    page.write(name, BENCHMARKS[name].what, found[name])
    print("\n" + page.goals(found))
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
