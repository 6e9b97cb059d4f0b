"""Connections that an incarnation leaves open when it is over."""

import asyncio

import pytest

from pytest_mqchaos.simulation.loop import VirtualLoop
from pytest_mqchaos.workloads import left_open
from pytest_mqchaos.workloads.coroutine import CoroutineWorker
from pytest_mqchaos.workloads.incarnation import Incarnation, Launch
from pytest_mqchaos.workloads.target import understand


@pytest.fixture(params=[asyncio.SelectorEventLoop, VirtualLoop])
def run(request):
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


async def listening():
    """A server that says nothing, and its port."""

    async def silent(reader, writer):
        with_us = await reader.read()
        assert not with_us
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def test_what_leads_to_these_ports_is_broken_off_and_nothing_else(run):
    async def test():
        ours, port = await listening()
        other, elsewhere = await listening()
        _, mine = await asyncio.open_connection("127.0.0.1", port)
        _, kept = await asyncio.open_connection("127.0.0.1", elsewhere)
        await left_open.close(asyncio.get_running_loop(), {port})
        assert mine.is_closing()
        assert not kept.is_closing()
        await left_open.close(asyncio.get_running_loop())
        assert kept.is_closing()
        ours.close()
        other.close()

    run(test())


@pytest.mark.parametrize("how", ["crashed", "stopped", "raised"])
def test_a_worker_that_is_over_has_no_connection_to_its_own_addresses(run, how):
    async def test():
        server, port = await listening()
        began, kept = asyncio.Event(), []

        async def service():
            kept.append((await asyncio.open_connection("127.0.0.1", port))[1])
            began.set()
            if how == "raised":
                raise ValueError("ours")
            try:
                await asyncio.Event().wait()
            finally:
                kept.append(kept[0].is_closing())

        over = asyncio.Event()
        launch = Launch(ports=frozenset({port}))
        worker = CoroutineWorker(
            Incarnation(worker="w", number=1), understand(service), launch,
            asyncio.get_running_loop(),
        )  # fmt: skip
        worker.start_here(lambda _end: over.set())
        await began.wait()
        if how != "raised":
            await worker.end_here(how, 30.0)
        await over.wait()
        assert kept[0].is_closing()
        # A process that is killed says nothing any more; one that is stopped may say good-bye.
        assert kept[1:] == {"crashed": [True], "stopped": [False], "raised": []}[how]
        server.close()

    run(test())
