"""What Hypothesis adds to runs in virtual time, and how near they come to its own speed.

    drawn(None)          examples a second of Hypothesis alone: plans and messages, nothing is run
    drawn(scenario)      the same examples, each of them run
    again(scenario, ...) the same runs without Hypothesis

It knows properties and rates; it must never know what a scenario does.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from pytest_mqchaos import Chaos, Message, Plan, batches, plans
from pytest_mqchaos.search.runner import run

Scenario = Callable[[list[bytes]], Callable[[Chaos], Awaitable[None]]]
Example = tuple[Plan, list[Message]]


def drawn(
    scenario: Scenario | None, examples: int, messages: int, number: int
) -> tuple[float, list[Example]]:
    """Examples per second of CPU, and which they were; `number` decides what is drawn."""
    seen: list[Example] = []

    @seed(number)
    @settings(
        max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(plan=plans(), sent=batches(min_size=messages, max_size=messages))
    def example(plan: Plan, sent: list[Message]) -> None:
        seen.append((plan, sent))
        if scenario is not None:
            _once(scenario, plan, sent)

    began = time.process_time()
    example()
    return len(seen) / (time.process_time() - began), seen


def again(scenario: Scenario, examples: list[Example]) -> float:
    """Runs per second of CPU."""
    began = time.process_time()
    for plan, sent in examples:
        _once(scenario, plan, sent)
    return len(examples) / (time.process_time() - began)


def _once(scenario: Scenario, plan: Plan, sent: list[Message]) -> Any:
    """Whatever comes of it: a producer that gives up is no failure here."""
    return run(scenario([bytes(message.value or b"") for message in sent]), plan, id="value")
