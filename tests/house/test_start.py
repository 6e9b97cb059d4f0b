"""What is loaded before anybody asked for it: almost nothing."""

import subprocess
import sys

import pytest

HEAVY = ("hypothesis", "asyncio", "kio", "cramjam", "aiokafka", "confluent_kafka", "kafka", "rich")
OURS = "pytest_mqchaos."


def loaded_by(statements):
    """Every module that a fresh interpreter has loaded after `statements` and had not before."""
    code = (
        "import sys, pytest\nbefore = set(sys.modules)\n"
        f"{statements}\nprint(*sorted(set(sys.modules) - before), sep='\\n')"
    )
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()


def too_much(modules, heavy=HEAVY):
    roots = {name.partition(".")[0] for name in modules}
    return sorted(roots & set(heavy))


@pytest.mark.parametrize(
    "statement",
    [
        "import pytest_mqchaos",
        "import pytest_mqchaos.plugin",
        "import pytest_mqchaos.dataplane.shell",
    ],
)
def test_loading_it_is_light(statement):
    modules = loaded_by(statement)
    assert too_much(modules) == []
    assert any(name.startswith("pytest_mqchaos") for name in modules)


@pytest.mark.parametrize("statement", ["import pytest_mqchaos", "import pytest_mqchaos.plugin"])
def test_loading_the_plugin_loads_no_room_that_moves_bytes(statement):
    rooms = ("wire.kafka", "dataplane", "relay", "kafka_cluster", "workloads", "recipes")
    modules = loaded_by(statement)
    assert [name for name in modules if name.startswith(tuple(OURS + room for room in rooms))] == []


def test_the_measure_itself():
    assert too_much(loaded_by("import asyncio.events")) == ["asyncio"]
    assert too_much(["hypothesis.strategies", "json"]) == ["hypothesis"]
