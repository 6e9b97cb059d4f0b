"""The proxies that we are compared with: haproxy from the system, Toxiproxy built once.

    with haproxy({front: back}) as pid: ...       256 KiB buffers, one thread
    with toxiproxy({front: back}) as pid: ...     2.12, no toxics, every core

It knows programs and ports; it must never know what is sent through them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

VERSION = "2.12.0"
SOURCE = "github.com/Shopify/toxiproxy/v2"
HAPROXY = """global
  maxconn 2000
  nbthread 1
  tune.bufsize 262144
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
"""
LISTEN = """listen proxy{front}
  bind 127.0.0.1:{front}
  server broker 127.0.0.1:{back}
"""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def running(argv: list[str]) -> Iterator[int]:
    """A process, ended at the end; its pid."""
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def reachable(port: int) -> None:
    """Wait until something listens."""
    for _ in range(400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.05):
            return
        time.sleep(0.01)
    raise SystemExit(f"nothing listens on port {port}")


def versions() -> str:
    """Which haproxy and Toxiproxy these are."""
    said = subprocess.run(["haproxy", "-v"], check=True, capture_output=True, text=True).stdout
    return f"haproxy {said.split()[2].partition('-')[0]}, Toxiproxy {VERSION}"


@contextlib.contextmanager
def haproxy(ports: Mapping[int, int]) -> Iterator[int]:
    """It serves `ports` (front -> back); its pid."""
    program = shutil.which("haproxy")
    if program is None:
        raise SystemExit("this benchmark needs haproxy on PATH")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "haproxy.cfg"
        listens = [LISTEN.format(front=front, back=back) for front, back in ports.items()]
        config.write_text(HAPROXY + "".join(listens))
        with running([program, "-f", str(config), "-db"]) as pid:
            for front in ports:
                reachable(front)
            yield pid


def toxiproxy_program() -> str | None:
    """The server, built by Go's own module proxy into the user's cache when it is first wanted;
    None without Go (or give $TOXIPROXY_SERVER)."""
    given = os.environ.get("TOXIPROXY_SERVER")
    if given:
        return given
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "mqchaos-benchmarks" / f"toxiproxy-{VERSION}"
    program = folder / "server"
    if program.exists():
        return str(program)
    go = shutil.which("go")
    if go is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    print(f"building Toxiproxy {VERSION} (once) ...", flush=True)
    flags = f"-s -w -X {SOURCE}.Version={VERSION}"
    built = subprocess.run(
        [go, "install", "-ldflags", flags, f"{SOURCE}/cmd/server@v{VERSION}"],
        env={**os.environ, "GOBIN": str(folder)}, check=False,
    )  # fmt: skip
    return str(program) if built.returncode == 0 else None


@contextlib.contextmanager
def toxiproxy(ports: Mapping[int, int]) -> Iterator[int | None]:
    """It serves `ports` (front -> back); its pid, or None (said why) where it cannot be had."""
    program = toxiproxy_program()
    if program is None:
        print("without Toxiproxy: install Go, or name a 2.12 server in TOXIPROXY_SERVER")
        yield None
        return
    control = free_port()
    with running([program, "-host", "127.0.0.1", "-port", str(control)]) as pid:
        reachable(control)
        for front, back in ports.items():
            body = {"name": f"p{front}", "listen": f"127.0.0.1:{front}",
                    "upstream": f"127.0.0.1:{back}", "enabled": True}  # fmt: skip
            request = urllib.request.Request(
                f"http://127.0.0.1:{control}/proxies", data=json.dumps(body).encode()
            )
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
        yield pid
