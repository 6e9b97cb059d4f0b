"""The line that a failing property test prints, taken from its output and run again and again."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[3]
TEST = """
from hypothesis import given, settings
from pytest_mqchaos import plans, simulate
from tests.search.planted.pairs import BATCH, BROKEN, scenario_of

(SERVICE,) = (service for service in BROKEN if service.__name__ == "{name}")


@settings(max_examples=500, derandomize=True, database=None)
@given(plan=plans(), batch=BATCH)
def test_{name}(plan, batch):
    simulate(scenario_of(SERVICE, batch), plan=plan)
"""
QUIET = ("-q", "--show-capture=no", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist")


def replayed(service, times):
    """(the line, in how many of so many runs of it the verdict was that the service failed)."""
    name = service.__name__
    with TemporaryDirectory() as made:
        directory = Path(made)
        (directory / "pytest.ini").write_text("[pytest]\n")
        (directory / f"test_{name}.py").write_text(TEST.format(name=name))
        line = _line(_pytest(directory, f"test_{name}.py").stdout)
        runs = [_pytest(directory, *shlex.split(line)[1:]) for _ in range(times)]
        return line, sum(run.returncode == 1 and " failed: " in run.stdout for run in runs)


def _line(text):
    found = re.search(r"pytest .*--mqchaos-plan=\S+", text)
    assert found is not None, text
    return found.group()


def _pytest(directory, *words):
    return subprocess.run(
        [sys.executable, "-m", "pytest", *QUIET, *words], cwd=directory, text=True,
        capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
