"""Code under test that a child process can import."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from pytest_mqchaos.workloads.effects_file import record_attempt, record_effect

WAIT = 60.0  # nothing here waits so long unless it is left behind


def wait_for_end():
    """For processes that only an end from outside can end."""
    time.sleep(WAIT)


def say(path, *words):
    Path(path).write_text(" ".join(map(str, words)))


def record_and_return(*ids):
    for one in ids:
        record_attempt(one)
        record_effect(one, part="debit", by="billing", key="alice", value={"amount": 5})


def say_context(path):
    say(path, os.environ["MQCHAOS_INCARNATION"], os.environ["MQCHAOS_BOOTSTRAP_SERVERS"])


def until_stop(path, *, stop):
    say(path, "ready")
    stop.wait(WAIT)
    say(path, "stopped")


def stopped_while_it_looks(path, *, stop):
    with stop._cond:  # as inside stop.wait(), where no test can be on time
        os.kill(os.getpid(), signal.SIGTERM)
        say(path, "looked")
    stop.wait(WAIT)
    say(path, "stopped")


def with_finally(path):
    try:
        say(path, "ready")
        wait_for_end()
    finally:
        say(path, "finally")


def elsewhere():
    """SIGTERM comes to another thread: the main one, which alone runs handlers, waits on. So it
    does where the signal comes just before its wait begins; no test can be on time there."""
    threading.Thread(target=wait_for_end, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def told_elsewhere(path):
    elsewhere()
    with_finally(path)


def stopped_elsewhere(path, *, stop):
    elsewhere()
    until_stop(path, stop=stop)


class Loses:
    """Its finalizer gets the SystemExit of a SIGTERM, where Python can only print it."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)


def stopped_in_a_finalizer(path):
    try:
        Loses()
        wait_for_end()
    finally:
        say(path, "finally")


async def coroutine_until_cancelled(pool, path):
    try:
        say(path, "ready")
        await asyncio.sleep(WAIT)
    finally:
        say(path, "finally", pool)


async def make_pool():
    return "pool"


def deaf(path):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say(path, os.getpid(), "ready")
    wait_for_end()


def family(path):
    """A parent with a child and a grandchild, as prefork services have them."""
    code = (
        "import subprocess, sys, os, time\n"
        f"p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep({WAIT})'])\n"
        f"open({str(path)!r} + '.tmp', 'w').write(f'{{os.getppid()}} {{os.getpid()}} {{p.pid}}')\n"
        f"os.rename({str(path)!r} + '.tmp', {str(path)!r})\n"
        f"time.sleep({WAIT})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def prefork(path, port):
    """A leader that lets one child talk to the broker."""
    code = (
        "import os, socket, time\n"
        f"s = socket.create_connection(('127.0.0.1', {port}))\n"
        f"open({str(path)!r} + '.tmp', 'w').write(f'{{os.getpid()}} {{s.getsockname()[1]}}')\n"
        f"os.rename({str(path)!r} + '.tmp', {str(path)!r})\n"
        f"time.sleep({WAIT})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    say(f"{path}.lost", "child lost")
    wait_for_end()


def fail(text):
    print("about to fail", flush=True)
    raise ValueError(text)
