"""P1, P2, P3, P6: the data plane as a plain proxy with frame parsing on, beside haproxy.

    python benchmarks/p1_p3_proxy.py [--repetitions 5]

Every repetition runs every workload on every way in turn, so that whatever else the machine does
falls on all; medians are compared. Needs a C compiler and haproxy on PATH.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pytest_mqchaos.dataplane.controller import DataPlane

WORKLOADS = {  # name: (arguments, pinned to one core)
    "P1 bulk": (["bulk", "{port}", "0.8"], False),
    "P2 trip 64 B": (["trip", "{port}", "0.8", "64"], True),
    "P3 pipe 1 KiB": (["pipe", "{port}", "300000", "1024"], False),
    "P6 connections": (["conn", "{port}", "0.5"], False),
}
HAPROXY = """global
  maxconn 2000
  nbthread 1
  tune.bufsize 262144
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen proxy
  bind 127.0.0.1:{port}
  server broker 127.0.0.1:{broker}
"""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def running(argv: list[str]) -> Iterator[int]:
    """A process, ended at the end; its pid."""
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def reachable(port: int) -> None:
    """Wait until something listens."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.05):
            return
    raise SystemExit(f"nothing listens on port {port}")


def measure(load: str, arguments: list[str], pids: list[int], *, pinned: bool) -> dict[str, float]:
    """One run of one workload; everybody on core 0 if `pinned`."""
    cores = sorted(os.sched_getaffinity(0))
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # it served a connection that has ended
                os.sched_setaffinity(int(thread.name), cores[:1] if pinned else cores)
    argv = (["taskset", "-c", str(cores[0])] if pinned else []) + [load, *arguments]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def table(results: dict[str, dict[str, list[dict[str, float]]]]) -> None:
    """Medians (least-most), and ours as a ratio to haproxy; for round trips what the proxy adds."""
    print("| workload | measure | direct | haproxy | mqchaos | ratio |")
    print("|---|---|---:|---:|---:|---:|")
    for name, ways in results.items():
        for measure_name in ways["direct"][0]:
            mid = {w: statistics.median(r[measure_name] for r in rows) for w, rows in ways.items()}
            ours, theirs = mid["mqchaos"], mid["haproxy"]
            ratio = ours / theirs
            if measure_name.endswith("us"):
                ratio = (ours - mid["direct"]) / max(0.01, theirs - mid["direct"])
            cells = " | ".join(
                f"{mid[way]:,.1f} ({min(some):,.1f} - {max(some):,.1f})"
                for way, rows in ways.items()
                for some in ([r[measure_name] for r in rows],)
            )
            print(f"| {name} | {measure_name} | {cells} | {ratio:.2f}x |")
    print("ratio: mqchaos / haproxy; for us of what the proxy adds to direct")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    repetitions = parser.parse_args().repetitions
    compiler, haproxy = shutil.which("cc") or shutil.which("gcc"), shutil.which("haproxy")
    if compiler is None or haproxy is None:
        raise SystemExit("this benchmark needs a C compiler (cc) and haproxy on PATH")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        load = str(folder / "load")
        source = str(Path(__file__).with_name("load.c"))
        subprocess.run([compiler, "-O2", "-pthread", "-o", load, source], check=True)
        broker, proxy = free_port(), free_port()
        config = folder / "haproxy.cfg"
        config.write_text(HAPROXY.format(port=proxy, broker=broker))
        server_pid = stack.enter_context(running([load, "server", str(broker)]))
        haproxy_pid = stack.enter_context(running([haproxy, "-f", str(config), "-db"]))
        plane = stack.enter_context(DataPlane())
        plane.request("begin", settings={"record": False})
        plane.request("upstream", node=1, host="127.0.0.1", port=broker)
        ours = plane.address("load", 1)[1]
        ways = {
            "direct": (broker, [server_pid]),
            "haproxy": (proxy, [server_pid, haproxy_pid]),
            "mqchaos": (ours, [server_pid, plane.pid]),
        }
        for port, _ in ways.values():
            reachable(port)
        results: dict[str, dict[str, list[dict[str, float]]]] = {}
        for _ in range(repetitions):
            for name, (arguments, pinned) in WORKLOADS.items():
                for way, (port, pids) in ways.items():
                    argv = [a.format(port=port) for a in arguments]
                    result = measure(load, argv, pids, pinned=pinned)
                    results.setdefault(name, {}).setdefault(way, []).append(result)
        print(f"{repetitions} interleaved repetitions, load {os.getloadavg()[0]:.1f}")
        table(results)
        print(
            f"data plane ready after {plane.ready_after * 1000:.0f} ms; troubles: {plane.troubles}"
        )


if __name__ == "__main__":
    main()
