"""P1, P2, P3, P6: the data plane as a plain proxy with frame parsing on, beside haproxy and
Toxiproxy.

    python -m benchmarks.p1_p3_proxy [--repetitions 5]

Every repetition runs every workload on every way in turn, so that whatever else the machine does
falls on all; ratios are taken within a repetition. Needs a C compiler and haproxy on PATH.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import psutil

from benchmarks import figures
from benchmarks.figures import Figures, Goal, Table, added, goal, ratios, spread
from benchmarks.proxies import free_port, haproxy, reachable, running, toxiproxy, versions
from pytest_mqchaos.dataplane.controller import DataPlane

WORKLOADS = {  # name: (arguments, pinned to one core)
    "P1 bulk": (["bulk", "{port}", "0.8"], False),
    "P2 trip 64 B, one core": (["trip", "{port}", "0.8", "64"], True),
    "P2 trip 64 B, two cores": (["trip", "{port}", "0.8", "64"], False),
    "P3 pipe 1 KiB": (["pipe", "{port}", "400000", "1024"], False),
    "P6 connections": (["conn", "{port}", "0.8"], False),
}
Run: TypeAlias = dict[str, float]
Results: TypeAlias = dict[str, dict[str, list[Run]]]


class Way(NamedTuple):
    """Where the load goes, whose CPU time counts, who is pinned."""

    port: int
    proxy: int | None
    pids: list[int]


def cpu(pid: int) -> float:
    """Seconds of user and system time so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def measure(load: str, arguments: list[str], way: Way, *, pinned: bool) -> Run:
    """One run of one workload; everybody on the last core if `pinned`."""
    cores = sorted(os.sched_getaffinity(0))
    for pid in way.pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # it served a connection that has ended
                os.sched_setaffinity(int(thread.name), cores[-1:] if pinned else cores)
    argv = (["taskset", "-c", str(cores[-1])] if pinned else []) + [load, *arguments]
    before = cpu(way.proxy) if way.proxy else 0.0
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    result: Run = json.loads(done.stdout)
    count = result.pop("count")
    if way.proxy:
        result["cpu"] = (cpu(way.proxy) - before) / count * 1e6
    return result


def column(results: Results, workload: str, way: str, measure_name: str) -> list[float]:
    """One figure of every repetition."""
    return [run[measure_name] for run in results[workload][way]]


def table(results: Results, ways: Sequence[str]) -> Table:
    """Every workload and measure by way."""
    rows = []
    for workload, by_way in results.items():
        for name in by_way["direct"][0]:
            digits = 1 if name.endswith("us") else 0
            cells = [spread(column(results, workload, way, name), digits) for way in ways]
            rows.append((workload, name, *cells))
        used = ["-"] + [
            f"{statistics.median(column(results, workload, way, 'cpu')):.2f}" for way in ways[1:]
        ]
        rows.append((workload, "proxy CPU, us each", *used))
    note = (
        "Median (least - most). CPU: user and system time of the proxy for a MB, a trip, a frame "
        "with its reply, a connection."
    )
    return Table(
        title="P1, P2, P3, P6: a plain proxy", head=("workload", "measure", *ways),
        rows=tuple(rows), note=note,
    )  # fmt: skip


def goals(results: Results, ways: Sequence[str]) -> list[Goal]:
    """Ours to the others'."""

    def to(other: str, workload: str, name: str) -> list[float]:
        ours, theirs = (column(results, workload, w, name) for w in ("mqchaos", other))
        if name.endswith("us"):
            return added(ours, theirs, column(results, workload, "direct", name))
        return ratios(ours, theirs)

    pipe, conn = "P3 pipe 1 KiB", "P6 connections"
    one, two = "P2 trip 64 B, one core", "P2 trip 64 B, two cores"

    def rate(value: float) -> str:
        return f"{value / 1e6:.2f}M" if value > 1e5 else f"{value:,.0f}"

    found = [
        goal("P1", "bulk, to haproxy", to("haproxy", "P1 bulk", "MB/s"), least=0.95),
        goal("P2", "round trip on one core, added p50, to haproxy", to("haproxy", one, "p50 us"),
             most=1.05),
        goal("P2", "the same, added p99", to("haproxy", one, "p99 us"), most=1.1),
        goal("P3", "1 KiB pipelined, frames a second", column(results, pipe, "mqchaos", "frames/s"),
             least=1.6e6, show=rate),
        goal("P3", "1 KiB pipelined, to haproxy", to("haproxy", pipe, "frames/s"), least=0.7),
        goal("P6", "connections a second", column(results, conn, "mqchaos", "connections/s"),
             least=5000, show=rate),
    ]  # fmt: skip
    if "toxiproxy" in ways:
        found[3:3] = [goal("P2", "round trip over two cores, added p50, to Toxiproxy",
                           to("toxiproxy", two, "p50 us"), most=0.7)]  # fmt: skip
        found[-1:-1] = [goal("P3", "1 KiB pipelined, to Toxiproxy",
                             to("toxiproxy", pipe, "frames/s"), least=1.4)]  # fmt: skip
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    repetitions = parser.parse_args().repetitions
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("this benchmark needs a C compiler (cc) on PATH")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        load = str(folder / "load")
        source = str(Path(__file__).with_name("load.c"))
        subprocess.run([compiler, "-O2", "-pthread", "-o", load, source], check=True)
        broker, front, other = free_port(), free_port(), free_port()
        server = stack.enter_context(running([load, "server", str(broker)]))
        reachable(broker)
        pid = stack.enter_context(haproxy({front: broker}))
        ways = {
            "direct": Way(broker, None, [server]),
            "haproxy": Way(front, pid, [server, pid]),
        }
        toxic = stack.enter_context(toxiproxy({other: broker}))
        if toxic is not None:
            ways["toxiproxy"] = Way(other, toxic, [server, toxic])
        plane = stack.enter_context(DataPlane())
        plane.request("begin", settings={"record": False})
        plane.request("upstream", node=1, host="127.0.0.1", port=broker)
        ours = plane.address("load", 1)[1]
        ways["mqchaos"] = Way(ours, plane.pid, [server, plane.pid])
        before = figures.load()
        results: Results = {}
        for repetition in range(repetitions):
            turn = repetition % len(ways)  # nobody is always the first
            order = [*ways][turn:] + [*ways][:turn]
            for name, (arguments, pinned) in WORKLOADS.items():
                by_way = results.setdefault(name, {way: [] for way in ways})
                for way in order:
                    argv = [a.format(port=ways[way].port) for a in arguments]
                    by_way[way].append(measure(load, argv, ways[way], pinned=pinned))
        if plane.troubles:
            raise SystemExit(f"the data plane had troubles: {plane.troubles}")
    figures.done(
        Figures(
            conditions=f"{versions()}; "
            f"{repetitions} interleaved repetitions; load {before:.1f} before, "
            f"{figures.load():.1f} after.",
            tables=(table(results, [*ways]),),
            goals=tuple(goals(results, [*ways])),
        )
    )


if __name__ == "__main__":
    main()
