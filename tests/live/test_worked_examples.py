"""Every worked example has the same verdicts on the embedded broker and on real Apache Kafka."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[2]
RUN = re.compile(r"\b[0-9a-f]{8}/")  # what an example puts before its ids, another in each run


def verdicts(kind, directory):
    """Test -> its verdicts (question, status, findings), as its run on this broker noted them."""
    report = directory / f"{kind}.xml"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider",
         f"--mqchaos-broker={kind}", f"--junitxml={report}", "tests/fixtures"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    return {
        f"{case.get('classname')}::{case.get('name')}": json.loads(RUN.sub("", told.get("value")))
        for case in ET.parse(report).iter("testcase")
        for told in case.iter("property")
        if told.get("name") == "verdicts"
    }


def test_the_same_verdict_for_every_worked_example(kafka_installed, tmp_path):
    embedded, real = verdicts("embedded", tmp_path), verdicts("process", tmp_path)
    assert len(embedded) > 40
    assert all(embedded.values())  # each asked something
    unknown = {test for test, told in embedded.items() for _, one, _ in told if one == "unknown"}
    assert all("test_r38" in test for test in unknown)  # one that is to be told so
    statuses = {status for told in embedded.values() for _, status, _ in told}
    assert statuses - {"unknown"} == {"passed", "failed"}
    one_node = {test for test in embedded if test not in real}  # what takes three brokers to see
    assert all("test_r14" in test or "test_r15" in test for test in one_node)
    other = {test: embedded[test] for test in real if real[test] != embedded[test]}
    assert other == {}
