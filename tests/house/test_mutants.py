"""What benchmarks/mutants explains away still stands in the code as it says."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "benchmarks" / "mutants" / "explained.toml"
GROUPS = tomllib.loads(PAGE.read_text())["group"]
CHANGE = re.compile(r"(?P<file>\S+\.py) (?P<function>\S+): (?P<before>.+?) -> (?P<after>.*)")


def closed_up(text):
    return re.sub(r"\s+", "", text)


def test_every_explained_change_is_of_a_line_that_exists():
    stale = []
    for group in GROUPS:
        for change in group["changes"]:
            said = CHANGE.fullmatch(change)
            source = (ROOT / "pytest_mqchaos" / said["file"]).read_text()
            if closed_up(said["before"]) not in closed_up(source):
                stale.append(change)
    assert stale == []


def test_every_group_says_why_and_no_change_is_explained_twice():
    changes = [change for group in GROUPS for change in group["changes"]]
    assert all(len(group["why"]) > 20 for group in GROUPS)
    assert len(set(changes)) == len(changes) > 0
