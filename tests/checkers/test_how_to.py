"""The example of docs/how-to/write-a-checker.md works as it stands there."""

import re
from pathlib import Path

from tests.checkers.timeline import run

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-checker.md"


def test_the_checker_of_the_page_fails_passes_and_does_not_know():
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(compile(block, str(PAGE), "exec"), names)
    checker = names["delivered_at_most"](limit=1)
    twice = run().publish("a").deliver("a").deliver("a")
    assert checker(twice.history()).status == "failed"
    assert checker(twice.but(gaps=("x",)).history()).status == "failed"
    once = run().publish("a").deliver("a")
    assert checker(once.history()).status == "passed"
    assert checker(once.but(gaps=("x",)).history()).status == "unknown"
    assert checker(run().history()).status == "unknown"
