"""What the plugin leaves with pytest's own objects. Loaded with every session: it imports nothing.

A test that never asked for a Chaos costs one look at its stash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.roles import Run
    from pytest_mqchaos.chaos.session import Chaos
    from pytest_mqchaos.search.failure import Failure

RUNNING: pytest.StashKey[Chaos] = pytest.StashKey()
"""On an item: its Chaos, from the fixture's start on."""

SIMULATED: pytest.StashKey[Run] = pytest.StashKey()
"""On an item: the Chaos of its last simulation, or of its last example over sockets, when that has
ended."""

REPLAYED: pytest.StashKey[Failure] = pytest.StashKey()
"""On an item: the stored failure as which it runs."""

SWEEPING: pytest.StashKey[bool] = pytest.StashKey()
"""On an item: it sweeps; each case is a report of its own."""

SIMULATIONS: pytest.StashKey[int] = pytest.StashKey()
"""On an item: how many simulations have ended in it."""

STRUCK: pytest.StashKey[tuple[int, int]] = pytest.StashKey()
"""On an item: how many rules its runs had, and how many of them took effect."""

INTERRUPTED: pytest.StashKey[list[str]] = pytest.StashKey()
"""On the config: what searches had found when Ctrl-C ended them, which have no report."""

EXAMPLES: pytest.StashKey[bool] = pytest.StashKey()
"""On an item: it runs many examples; the one that failed is told."""

RATE: pytest.StashKey[tuple[int, int]] = pytest.StashKey()
"""On an item: how often its failure came of how many runs, where that was found out already."""

NO_BROKER = "--mqchaos-broker="
"""How the reason begins when tests are skipped because there is no such broker here."""

# User properties of a report (they travel from xdist workers): what the summary is made of.
PASSED = "mqchaos"  # one line of a test that passed
LIMITS = "mqchaos-limits"  # what its pass does not cover, one sentence
FIXED = "mqchaos-fixed"  # a stored failure that passes now
UNSURE = "mqchaos-unsure"  # one that passes, but not for certain because it is mended
SWEPT = "mqchaos-sweep"  # what a sweep has shown: a head line, notes, the table
HUNTED = "mqchaos-search"  # what a search has shown: a head line, shrinking, rate, notes


def say(item: pytest.Item, line: str) -> None:
    """Keep the summary's line about a test that passed."""
    outer, _, name = item.nodeid.rpartition("::")
    if name == "runTest":  # a state machine's: every one is called so
        name = outer.rpartition("::")[2]
    item.user_properties.append((PASSED, f"{name}: {line}"))
