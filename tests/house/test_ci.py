"""In CI nothing is skipped in silence."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

SUITE = """
import pytest

@pytest.mark.live
def test_live():
    pytest.skip("no Java here")

@pytest.mark.live
@pytest.mark.skipif(True, reason="no haproxy here")
def test_live_by_mark():
    pass

def test_plain():
    pytest.skip("not on this system")
"""


def outcomes(pytester, monkeypatch, ci):
    monkeypatch.setenv("CI", ci)
    conftest = (ROOT / "tests" / "conftest.py").read_text()
    pytester.makeconftest(conftest.replace('pytest_plugins = ["pytester"]', ""))
    pytester.makeini("[pytest]\nmarkers = live: needs something\n")
    pytester.makepyfile(SUITE)
    return pytester.runpytest_subprocess("-p", "no:randomly", "-q")


def test_a_skipped_live_test_fails_the_run(pytester, monkeypatch):
    result = outcomes(pytester, monkeypatch, "true")
    counts = result.parseoutcomes()
    assert counts.get("skipped") == 1
    assert counts.get("failed", 0) + counts.get("errors", 0) == 2
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*in CI a live test may not be skipped*no Java here*"])


def test_elsewhere_it_is_a_skip(pytester, monkeypatch):
    result = outcomes(pytester, monkeypatch, "false")
    assert result.parseoutcomes() == {"skipped": 3}
    assert result.ret == 0


def test_the_run_of_ci_is_a_program_without_errors_of_syntax():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    assert "set -euo pipefail" in script.read_text()
