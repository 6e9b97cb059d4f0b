"""What the pages say is done, in order, and comes out as they say."""

import pytest

from tests.docs.pages import ROOT, Reader, Step, missing, steps, unmarked

PAGES = ["README.md", "docs/tutorial.md", *sorted(
    str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "how-to").glob("*.md")
)]  # fmt: skip
FIRST = ("README.md", "docs/tutorial.md")  # a how-to runs as they do: `make live` runs those
RUN = [page for page in PAGES if any(step.do == "run" for step in steps(page))]
LIVE = [page for page in PAGES if any(step.do == "run live" for step in steps(page))]


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.wide) if page not in FIRST else page for page in RUN],
)
def test_what_a_page_says_comes_out(page, tmp_path):
    Reader(tmp_path, replays=page == "README.md").follow(page)


@pytest.mark.live
@pytest.mark.parametrize("page", LIVE)
def test_and_on_a_real_broker(page, tmp_path):
    Reader(tmp_path, live=True).follow(page)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_or_says_why_not(page):
    assert unmarked(page) == []


def test_the_readme_and_the_tutorial_are_run():
    assert set(FIRST) <= set(RUN)
    assert "docs/tutorial.md" in LIVE


@pytest.mark.parametrize(
    ("shown", "absent"),
    [
        ("b\na", ["a"]),
        ("a\nb", []),
        ("  +9.9 ms │ y\n  +1.0 ms │ x", []),
        ("+1.0 ms │ z", ["+1.0 ms │ z"]),
        ("a\nc", ["c"]),
    ],
)
def test_a_line_that_was_not_printed_is_found(shown, absent):
    assert missing(shown, "a\n +3.5 ms │ x\n+4.5 ms │ y\nb\n") == absent


def test_an_outcome_that_did_not_come_is_a_failure(tmp_path):
    step = Step("run", "hello", '$ python -c "print(40 + 2)"\n')
    with pytest.raises(AssertionError, match="42"):
        Reader(tmp_path).run(step)
    Reader(tmp_path).run(step._replace(what="42"))
