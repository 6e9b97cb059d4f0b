"""A coroutine run in virtual time, with some real I/O admitted."""

from pytest_mqchaos.simulation.stage import Stage


def simulated(main, *real):
    with Stage(real=real) as stage:
        return stage.run(main())
