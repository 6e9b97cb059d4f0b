"""The data plane of a simulation: commands at once, questions on the loop, troubles told."""

import asyncio

import pytest

from pytest_mqchaos import on
from pytest_mqchaos.errors import MqchaosError, UsageError, WaitTimeout
from pytest_mqchaos.simulation.instants import Instants
from pytest_mqchaos.simulation.loop import VirtualLoop
from pytest_mqchaos.simulation.plane import VirtualPlane


@pytest.fixture
def loop():
    loop = VirtualLoop()
    yield loop
    loop.close()


@pytest.fixture
def plane(loop):
    plane = VirtualPlane(loop)
    plane.request("cluster", brokers=1)
    plane.request("begin", history="memory", settings={})
    return plane


def test_a_wrong_command_is_an_error_where_it_is_given(plane):
    with pytest.raises(UsageError, match="staus"):
        plane.request("staus")
    with pytest.raises(UsageError, match="needs 'owner'"):
        plane.request("listen", node=1)
    with pytest.raises(UsageError, match="has its brokers within"):
        plane.request("upstream", node=2, host="127.0.0.1", port=9092)
    with pytest.raises(UsageError, match="ends with its loop"):
        plane.request("stop")


def test_each_owner_and_node_has_a_listener_of_its_own_until_it_is_closed(plane, loop):
    one, other = plane.address("a", 1), plane.address("b", 1)
    assert one == plane.address("a", 1) != other
    assert loop.network.listens(*one)
    plane.request("unlisten", owner="a")
    assert not loop.network.listens(*one)
    assert loop.network.listens(*other)


def test_a_question_where_no_broker_is_finds_nobody(plane):
    with pytest.raises(ConnectionRefusedError):
        plane.ask(1, b"")


def test_a_broker_that_says_nothing_at_once_is_not_waited_for(plane):
    _, port = plane.request("listen", owner="x", node=1)["address"]
    with pytest.raises(WaitTimeout, match="virtual time stands still"):
        plane.ask(port, b"\0\0\0\x0a")


def test_what_the_brokers_are_is_another_state_when_something_befell_them(plane):
    before = plane.state()
    plane.request("status")
    plane.address("a", 1)
    assert plane.state() == before
    plane.request("fault", deed="heal")
    assert plane.state() != before


def test_what_is_said_past_every_link_may_change_anything_at_any_time(plane, loop):
    _, port = plane.listeners.address("", 1)

    async def connect():
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        before = plane.state()
        writer.close()
        await writer.wait_closed()
        return before

    before = loop.run_until_complete(connect())
    assert before != plane.state() != plane.state()


def test_troubles_are_told_once_and_kept(plane):
    told = []
    plane.on_trouble(told.append)
    plane.trouble("a")
    plane.trouble("a")
    plane.trouble("b")
    assert told == plane.troubles == ["a", "b"]


def asking(plane, loop, answer):
    """What the plane did with the answer to one question."""
    got = []
    plane.engine().answer = lambda number, value, now: got.append((number, value))
    plane.on_ask(answer)
    plane.engine().asks.append({"ask": 7, "what": "crash_worker", "arguments": {"owner": "a"}})
    plane.turn()
    loop.run_until_complete(asyncio.sleep(1))
    return got


def test_a_question_is_answered_at_once_or_when_its_answer_is_there(plane, loop):
    async def later():
        await asyncio.sleep(0.5)
        return "late"

    assert asking(plane, loop, lambda what, arguments: (what, arguments)) == [
        (7, ("crash_worker", {"owner": "a"}))
    ]
    assert asking(plane, loop, lambda what, arguments: later()) == [(7, "late")]


def test_an_answer_that_fails_is_trouble_and_lets_the_frame_go(plane, loop):
    def fails(what, arguments):
        raise MqchaosError(f"no {what}")

    async def fails_later(what, arguments):
        raise MqchaosError("nor later")

    assert asking(plane, loop, fails) == [(7, None)]
    assert asking(plane, loop, fails_later) == [(7, None)]
    assert plane.troubles == [
        "crash_worker failed: MqchaosError: no crash_worker",
        "crash_worker failed: MqchaosError: nor later",
    ]


def test_a_question_that_nobody_answers_is_trouble(plane, loop):
    assert asking(plane, loop, None) == [(7, None)]
    assert plane.troubles == ["nobody answers the data plane's 'crash_worker'"]


def test_a_part_that_fails_is_trouble_and_the_rest_goes_on(plane, loop, monkeypatch):
    monkeypatch.setattr(plane.traffic, "serve", lambda now: 1 / 0)
    plane.turn()
    assert plane.troubles == ["the data plane failed: ZeroDivisionError: division by zero"]
    monkeypatch.undo()
    assert plane.request("arm", rules=[{"index": 0, "rule": on.confirm().drop().to_json()}]) == {}


def test_no_two_instants_are_the_same_and_all_are_in_order(loop):
    clock = Instants(loop)
    here = [clock(), clock(), clock()]
    assert here == [loop.now, loop.now + 1, loop.now + 2]
    loop.run_until_complete(asyncio.sleep(1e-3))
    assert clock() == loop.now > here[-1]
