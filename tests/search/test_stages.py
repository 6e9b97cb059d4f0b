"""A service in two stages, the second of which takes its time: settling waits for it, too."""

import pytest

from pytest_mqchaos import simulate
from tests.search.public_passed_on import staged


@pytest.mark.parametrize("roles", [{}, {"outputs": ["routed"]}])
def test_what_stands_before_the_next_stage_is_waited_for(roles):
    async def scenario(chaos):
        chaos.topic("orders")
        chaos.topic("routed")
        chaos.flow(**roles)
        await chaos.publish_async("orders", ["o1"])

        def work(message):
            chaos.effects.record(message.value.decode())

        async with chaos.worker(staged, chaos.bootstrap_servers, work, None, mended=True):
            settled = await chaos.settle_async()
        assert not settled.waiting
        assert not settled.drained
        chaos.assert_exactly_once()

    simulate(scenario, id="value")
