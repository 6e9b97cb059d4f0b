"""The same plan shows the same, another plan does not. A hundred fresh processes with hash seeds of
their own are `python -m tests.search.determinism --runs 100`; here, two."""

from tests.search.determinism import one, told
from tests.search.scenarios import CASES


def test_two_processes_with_different_hash_seeds_show_the_same_and_each_case_shows_its_own():
    lines, good = told([one(4), one(1)])
    assert good, "\n".join(lines)
    assert len(lines) == len(CASES) + 1


def test_what_differs_is_told():
    same = {"a": ["passed", "x", "1"]}
    assert not told([(0, same), (1, {"a": ["passed", "y", "1"]})])[1]
    assert not told([(0, same), (1, {"a": ["failed", "x", "1"]})])[1]
    assert not told([(0, same), (0, {"a": ["passed", "x", "2"]})])[1]
    assert told([(0, same), (1, {"a": ["passed", "x", "2"]})])[1]
    assert not told([(0, same | {"b": ["passed", "x", "1"]})])[1]  # two cases, one digest
