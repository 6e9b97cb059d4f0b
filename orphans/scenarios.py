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
    own: tuple[str, ...] = ()

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that it comes to, as orphans/project/conftest.py calls them."""
        return (*_STAGES, *self.own)


_STAGES = (
    "collection", "set-up", "data plane starts", "broker starts", "traffic", "frames held",
    "settle", "workers stop", "judging", "tear-down", "exit",
)  # fmt: skip


SCENARIOS = {
    "plain": Scenario("embedded broker, coroutine, thread and process, no rule", 45),
    "rules": Scenario(
        "the same; a frame is held, the process is crashed and started again",
        33,
        own=("worker restarts",),
    ),
    "proof": Scenario(
        "a broken process; the failure's replay line is run", 5, own=("replay proof",)
    ),
    "xdist": Scenario("two tests with rules under xdist -n 2", 6, ("-n", "2")),
    "kafka": Scenario(
        "real Kafka, which a rule pauses", 11, ("--mqchaos-broker=process",), broker=True
    ),
}


def command(scenario: str) -> list[str]:
    """The command line; plugins that have no part in it are not loaded, to be quick."""
    plugins = ("pytest_mqchaos.plugin", *(["xdist"] if scenario == "xdist" else []))
    return [
        sys.executable, "-m", "pytest", "-q", "--disable-plugin-autoload", "-pno:cacheprovider",
        *(f"-p{name}" for name in plugins), *SCENARIOS[scenario].arguments,
    ]  # fmt: skip
