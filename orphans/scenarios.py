"""The runs that are killed: what a user's command line is, and what it has that can be killed."""

from __future__ import annotations

import sys
from typing import NamedTuple


class Scenario(NamedTuple):
    """One command line over orphans/project; `weight`: how often it is drawn."""

    what: str
    weight: float
    arguments: tuple[str, ...] = ()
    broker: bool = False


SCENARIOS = {
    "plain": Scenario("embedded broker, coroutine, thread and process, no rule", 45),
    "rules": Scenario("the same; a frame is held, the process is crashed and started again", 33),
    "proof": Scenario("a broken process; the failure's replay line is run", 5),
    "xdist": Scenario("two tests with rules under xdist -n 2", 6, ("-n", "2")),
    "kafka": Scenario(
        "real Kafka, which a rule pauses", 11, ("--mqchaos-broker=process",), broker=True
    ),
}


def command(scenario: str) -> list[str]:
    """The command line; plugins that have no part in it are not loaded, to be quick."""
    quiet = ["randomly", "cacheprovider", "asyncio", "anyio", "hypothesispytest", "rerunfailures"]
    return [
        sys.executable, "-m", "pytest", "-q", *(f"-pno:{name}" for name in quiet),
        *SCENARIOS[scenario].arguments,
    ]  # fmt: skip
