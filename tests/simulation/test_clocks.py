"""Time and chance, as code in a simulation and as everybody else sees them."""

import asyncio
import datetime as dt
import os
import random
import secrets
import threading
import time
import types
import uuid
from datetime import UTC, date
from datetime import datetime as moment
from time import monotonic, sleep
from time import time as wall

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.simulation import clocks
from pytest_mqchaos.simulation.stage import Stage
from pytest_mqchaos.simulation.turns import SECOND

TRUE = {name: getattr(time, name) for name, _ in clocks.REPLACED}
NAMES = [name for name, _ in clocks.REPLACED]


def simulated(main, **options):
    with Stage(**options) as stage:
        return stage.run(main())


def asks(seconds=monotonic, *, clock=time.perf_counter):
    return seconds(), clock()


class Service:
    clock = time.monotonic
    static = staticmethod(time.monotonic)

    def now(self):
        return self.clock(), self.static()


def test_every_way_to_a_clock_reads_the_time_of_the_loop():
    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(1234)
        times = [
            time.monotonic(), monotonic(), time.perf_counter(), time.monotonic_ns() / SECOND,
            time.perf_counter_ns() / SECOND, *asks(), *Service().now(),
        ]  # fmt: skip
        assert times == [loop.time()] * len(times)

    simulated(main)


def test_the_wall_clock_begins_at_the_same_date_and_goes_on():
    async def main():
        began = wall()
        assert began == pytest.approx(clocks.EPOCH / SECOND, abs=1e-3)
        await asyncio.sleep(86_400)
        assert time.time_ns() / SECOND - began == pytest.approx(86_400, abs=1e-3)
        assert moment.now(UTC) - moment(2026, 1, 2, tzinfo=UTC) < dt.timedelta(seconds=1)
        assert dt.datetime.now(UTC).date() == date(2026, 1, 2)
        assert moment.now().timestamp() == pytest.approx(time.time(), abs=1e-3)  # noqa: DTZ005
        assert moment.utcnow().date() == date(2026, 1, 2)  # noqa: DTZ003
        assert time.gmtime().tm_mday == 2
        assert time.localtime(0) == TRUE["localtime"](0)
        assert moment.fromtimestamp(time.time(), UTC).date() == date(2026, 1, 2)

    simulated(main)


def test_a_date_made_in_a_simulation_is_a_true_one():
    async def main():
        return [
            moment.now(UTC),
            moment(2026, 1, 1, tzinfo=UTC),
            moment.fromisoformat("2026-01-01"),
            moment,
        ]

    *made, cls = simulated(main)
    assert {type(date) for date in made} == {moment}
    assert all(isinstance(date, cls) for date in made)
    assert not isinstance("2026", cls)
    assert issubclass(moment, cls)
    assert cls.now(UTC).year == moment.now(UTC).year  # kept for later, it is true


def test_another_epoch():
    async def main():
        return time.gmtime().tm_year

    assert simulated(main, epoch=0) == 1970


def test_a_blocking_sleep_lets_time_pass_and_nothing_else_run():
    async def main():
        ran = []
        asyncio.get_running_loop().call_later(1, ran.append, "timer")
        began = time.monotonic()
        time.sleep(60)  # noqa: ASYNC251 - this is asked
        sleep(0.5)  # noqa: ASYNC251 - this is asked
        assert time.monotonic() == began + 60.5
        assert ran == []
        with pytest.raises(ValueError, match="non-negative"):
            time.sleep(-1)  # noqa: ASYNC251 - this is asked

    simulated(main)


def test_who_polls_a_clock_sees_it_move():
    async def main():
        deadline = time.monotonic() + 0.01
        while time.monotonic() < deadline:
            pass
        return True

    assert simulated(main)


def test_another_thread_and_the_machinery_keep_the_clocks_of_the_machine():
    machinery = types.ModuleType("_pytest.invented")
    exec("import time\ndef ask(): return time.monotonic()", vars(machinery))
    heard = []
    thread = threading.Thread(target=lambda: heard.append(time.monotonic()))

    async def main():
        await asyncio.sleep(10**9)
        heard.append(machinery.ask())

    with Stage() as stage:
        clocks.leave()
        thread.start()
        clocks.enter(stage.loop, 0)
        stage.run(main())
    thread.join()
    assert len(heard) == 2
    assert all(seen < 10**9 for seen in heard)


def everything():
    return [
        *(getattr(time, name) for name in NAMES), monotonic, sleep, wall, moment, dt,
        asks.__defaults__, dict(asks.__kwdefaults__), vars(Service)["clock"], os.urandom,
        random.seed, random.Random.seed, threading.Thread.start, vars(Service)["static"].__func__,
    ]  # fmt: skip


@pytest.mark.parametrize("error", [None, KeyError, KeyboardInterrupt, asyncio.CancelledError])
def test_everything_is_put_back(error):
    before, state = everything(), random.getstate()

    async def main():
        unchanged = [true for mine, true in zip(everything(), before, strict=True) if mine is true]
        assert unchanged == []
        random.random()
        if error:
            raise error

    if error:
        with pytest.raises(error):
            simulated(main)
    else:
        simulated(main)
    assert everything() == before
    assert random.getstate() == state


def test_what_somebody_else_put_there_meanwhile_stays(monkeypatch):
    def mine():
        return 7

    async def main():
        time.time = mine

    monkeypatch.setattr(time, "time", time.time)  # what is true comes back after this test
    simulated(main)
    assert time.time is mine


def test_what_kept_a_clock_of_a_simulation_has_a_true_one_after_it():
    async def main():
        return time.monotonic

    kept = simulated(main)
    assert TRUE["monotonic"]() <= kept() <= TRUE["monotonic"]()


def draw():
    return [
        random.random(), random.Random().random(), random.SystemRandom().random(),
        uuid.uuid4(), secrets.token_hex(), os.urandom(4), random.choice(range(10**9)),
    ]  # fmt: skip


def test_chance_is_of_the_seed():
    async def main():
        random.seed()
        return draw()

    assert simulated(main, seed=1) == simulated(main, seed=1)
    both = zip(simulated(main, seed=1), simulated(main, seed=2), strict=True)
    assert all(one != two for one, two in both)
    assert draw() != draw()


def test_a_simulation_in_a_simulation_is_refused():
    async def main():
        Stage().__enter__()

    with pytest.raises(UsageError, match="inside of another"):
        simulated(main)
    with pytest.raises(UsageError, match="from a plain function"):
        asyncio.run(main())
    assert simulated(lambda: asyncio.sleep(1)) is None


def test_tasks_that_were_left_are_cancelled_in_virtual_time():
    ended = []

    async def lingers():
        try:
            await asyncio.sleep(10**6)
        finally:
            await asyncio.sleep(100)
            ended.append(time.monotonic() > 1000)

    async def main():
        asyncio.get_running_loop().kept = asyncio.create_task(lingers())
        await asyncio.sleep(1)

    simulated(main)
    assert ended == [True]
