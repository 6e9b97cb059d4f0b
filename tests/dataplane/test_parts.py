"""How parts are found: by path, without what only slows their import."""

import subprocess
import sys

import pytest

from pytest_mqchaos.dataplane.parts import DEFAULTS, UNWANTED, load
from pytest_mqchaos.errors import UsageError


@pytest.mark.parametrize("path", sorted(DEFAULTS.values()))
def test_every_default_part_is_there(path):
    assert load(path).__name__ == path.partition(":")[2]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no.such:thing", "No module named 'no'"),
        ("json:nothing", "no attribute 'nothing'"),
        ("json", "expected|cannot load"),
        ("sys:path", "is a list, expected something to call"),
    ],
)
def test_what_cannot_be_loaded_is_said(path, why):
    with pytest.raises(UsageError, match=why):
        load(path)


FRESH = f"""
import sys
from pytest_mqchaos.dataplane.parts import load
load({DEFAULTS["cluster"]!r})
assert not any(name.partition(".")[0] == {UNWANTED!r} for name in sys.modules)
import {UNWANTED}
print({UNWANTED}.__name__)
"""


def test_a_cluster_comes_without_hypothesis_which_can_still_be_imported():
    done = subprocess.run([sys.executable, "-c", FRESH], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == UNWANTED


def test_what_is_there_already_stays_there():
    __import__(UNWANTED)
    before = sys.modules[UNWANTED]
    load(DEFAULTS["command"])
    assert sys.modules[UNWANTED] is before
