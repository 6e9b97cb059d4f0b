"""Both pollers mean the same by ready; timers come once, in order, unless cancelled."""

import select
import socket
import time

import pytest

from pytest_mqchaos.dataplane.loop import READ, WRITE, Epoll, Loop, Selector

POLLERS = [Selector] + ([Epoll] if hasattr(select, "epoll") else [])


@pytest.fixture(params=POLLERS)
def loop(request):
    loop = Loop(request.param())
    yield loop
    loop.close()


@pytest.fixture
def pair():
    a, b = socket.socketpair()
    with a, b:
        yield a, b


def test_readiness_follows_what_is_watched(loop, pair):
    a, b = pair
    seen = []
    loop.watch(a, 0, READ, seen.append)
    assert loop.wait(0) == []
    b.send(b"x")
    assert [mask for _, mask in loop.wait(1)] == [READ]
    loop.watch(a, READ, READ | WRITE, seen.append)
    ((ready, mask),) = loop.wait(1)
    ready(mask)
    assert seen == [READ | WRITE]
    loop.watch(a, READ | WRITE, WRITE, seen.append)
    assert [mask for _, mask in loop.wait(1)] == [WRITE]
    loop.watch(a, WRITE, 0, seen.append)
    loop.watch(a, 0, 0, seen.append)
    assert loop.wait(0) == []


def test_a_broken_connection_is_ready(loop, pair):
    a, b = pair
    loop.watch(a, 0, READ, lambda mask: None)
    b.close()
    ((_, mask),) = loop.wait(1)
    assert mask & READ


def test_timers_come_in_order_once_and_not_when_cancelled(loop):
    called = []
    loop.after(600, lambda: called.append("later"))
    loop.after(300, lambda: called.append("sooner"))
    cancelled = loop.after(0, lambda: called.append("never"))
    cancelled.cancel()
    first = loop.next_timer()
    loop.due(first - 1)
    assert called == []
    loop.due(time.monotonic_ns() + 900_000_000_000)
    loop.due(time.monotonic_ns() + 900_000_000_000)
    assert called == ["sooner", "later"]
    assert loop.next_timer() is None
