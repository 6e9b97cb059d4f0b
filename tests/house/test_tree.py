"""What is committed works on any machine: no path of one machine, no host of one registry."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Written in pieces, or this file would be the first finding.
HOMES = "/(?:work|root|home/[a-z][a-z0-9_-]*|Users/[A-Za-z]+)/"
REGISTRIES = "|".join(
    (
        r"pypi\.(?:org|python)",
        "python" + r"hosted\.org",
        r"repo1?\.maven",
        "arti" + "factory",
        "jfrog" + r"\.",
        "--(?:extra-)?index" + "-url",
        "--find" + "-links",
    )
)
FOREIGN = re.compile(rf"(?<![\w.$}}])(?:{HOMES})|{REGISTRIES}")


def committed():
    """Every file under version control; without git (an sdist), every file that would be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name]
    rooms = ("pytest_mqchaos", "fixtures", "tests", "docs", "benchmarks", "orphans", ".ci")
    return [path for room in rooms for path in (ROOT / room).rglob("*") if path.is_file()]


def foreign(text):
    return [line for line in text.splitlines() if FOREIGN.search(line)]


def test_no_machine_path_and_no_registry_host():
    found = []
    for path in committed():
        if path.exists():  # else it is being removed
            text = path.read_bytes().decode("utf-8", "replace")
            found += [(str(path.relative_to(ROOT)), line.strip()) for line in foreign(text)]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "cache = '/ro" + "ot/.m2'",
        "PATH=/ho" + "me/alice/bin",
        "pip install --index" + "-url x",
        "https://pypi" + ".org/simple",
    ],
)
def test_what_it_finds(line):
    assert foreign(line) == [line]


@pytest.mark.parametrize("line", ["docs/work/of/others", "/tmp/x", "a maven.apache.org namespace"])
def test_what_it_lets_pass(line):
    assert foreign(line) == []


def test_constraints_are_names_and_versions_alone():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert len(lines) > 20
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][\w.]*", line)] == []


def test_the_make_targets_of_the_readme_exist():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = {
        name
        for page in ("README.md", "CONTRIBUTING.md")
        for name in re.findall(r"^(?:\| `)?make ([a-z]+)", (ROOT / page).read_text(), re.MULTILINE)
    }
    assert named >= {"test", "demo"}
    assert named <= set(targets)
