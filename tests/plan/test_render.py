"""The reference pages say what the code says."""

from pathlib import Path

import pytest

from pytest_mqchaos.plan.legality import TABLES
from pytest_mqchaos.plan.profiles import PROFILES
from pytest_mqchaos.plan.render import grid, pages, profile_page

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", pages())
def test_every_page_is_up_to_date(name):
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == pages()[name], "run: python docs/generate_reference.py"


def test_no_page_is_left_over():
    made = {path.name for path in (REFERENCE / "profiles").glob("*.md")}
    assert made == {Path(name).name for name in pages() if name.startswith("profiles/")}


def test_the_table_page_has_every_row_and_error():
    text = pages()["legality-kafka.md"]
    for row in TABLES["kafka"].rows:
        assert f"### `on.{row.point}(...).{row.fault}(...)`\n{row.what}" in text
    for name, _ in TABLES["kafka"].caused.values():
        assert f"| {name} (" in text


def test_a_profile_page_shows_its_plan():
    for name, profile in PROFILES["kafka"].items():
        assert profile.plan().source() in pages()[f"profiles/kafka-{name}.md"]


def test_a_profile_told_on_a_terminal_has_no_note_to_editors():
    for profile in PROFILES["kafka"].values():
        assert profile_page(profile).startswith(f"# {profile.name}\n")


def test_every_pitfall_that_a_profile_names_is_explained():
    told = (REFERENCE / "pitfalls.md").read_text(encoding="utf-8")
    for profile in PROFILES["kafka"].values():
        for number in profile.covers:
            assert f"| {number} | " in told


def test_a_bar_inside_a_cell_is_escaped():
    assert grid(["a"], [["b|c"]]) == "| a |\n| --- |\n| b\\|c |"
