"""What holds on the embedded cluster holds on real Kafka: the same tests, unchanged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[2]
LIMIT = 900


def test_the_conformance_tests_pass_on_real_kafka(kafka_installed):
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short",
            "--mqchaos-broker=process", "-m", "not live", "tests/conformance",
            "--ignore=tests/conformance/matrix",  # test_client_matrix.py
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    told = done.stdout[-6000:] + done.stderr[-2000:]
    assert done.returncode == 0, told
    last = done.stdout.strip().splitlines()[-1]
    assert "passed" in last, told
    assert "skipped" not in last, told
