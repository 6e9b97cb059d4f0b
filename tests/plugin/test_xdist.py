"""Each xdist worker has a broker and a data plane of its own: the results are the same."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^(PASSED|FAILED|ERROR) fixtures/kafka/(demo_test\.py::\w+(?:\[[\w-]+\])?)")


def outcomes(count):
    """How each test of the demo ended with so many workers."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", str(count), "-o", "addopts=", "-rA", "-q",
         "--import-mode=importlib", "-pno:randomly", "-pno:cacheprovider",
         "fixtures/kafka/demo_test.py"],
        cwd=ROOT, env={**environment, "MQCHAOS_REPLAYING": "1"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    found = [LINE.match(line) for line in done.stdout.splitlines()]
    return sorted((match[2], match[1]) for match in found if match)


@pytest.mark.wide
def test_results_do_not_depend_on_the_number_of_workers():
    alone = outcomes(0)
    assert {outcome for _, outcome in alone} == {"PASSED", "FAILED"}
    for name, outcome in alone:
        assert outcome == ("FAILED" if "test_broken_" in name else "PASSED")
    assert outcomes(2) == alone
    assert outcomes(4) == alone
