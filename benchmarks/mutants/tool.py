"""mutmut, with what it lacks for code that judges: run inside a copy of the tree, never in it.

What is added: a bare condition negated (mutmut turns comparisons and `not` around, not a name or a
call), and the words that decide whole verdicts swapped (any/all, min/max). What is left out:
sentences for people (a string with a blank in it), whose wording no test should hold.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import hypothesis
import libcst as cst
from mutmut.mutation import mutators

SWAPPED = {"any": "all", "all": "any", "min": "max", "max": "min"}
TURNED_ELSEWHERE = (cst.Comparison, cst.BooleanOperation, cst.UnaryOperation)


def negated(node: cst.If | cst.While | cst.CompIf | cst.IfExp) -> Iterator[cst.CSTNode]:
    """`if x` as `if not x`, unless mutmut itself turns that kind of condition around."""
    if not isinstance(node.test, TURNED_ELSEWHERE):
        bracketed = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(operator=cst.Not(), expression=bracketed))


def swapped(node: cst.Call) -> Iterator[cst.CSTNode]:
    """`any(...)` as `all(...)` and the like."""
    if isinstance(node.func, cst.Name) and node.func.value in SWAPPED:
        yield node.with_changes(func=cst.Name(SWAPPED[node.func.value]))


def words(node: cst.BaseString) -> Iterable[cst.CSTNode]:
    """The tool's own mutations of a string, unless it is a sentence."""
    if isinstance(node, cst.SimpleString) and " " in node.value:
        return ()
    return mutators.operator_string(node)


def extend() -> None:
    """Change mutmut's list of operators in place, where its visitor looks."""
    operators = mutators.mutation_operators
    at = operators.index((cst.BaseString, mutators.operator_string))
    operators[at] = (cst.BaseString, words)
    operators += [
        (cst.If, negated),
        (cst.While, negated),
        (cst.CompIf, negated),
        (cst.Call, swapped),
    ]


def steady() -> None:
    """The same examples in every run, and none made smaller: a kill needs no explanation."""
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None, phases=phases
    )
    hypothesis.settings.load_profile("mutants")


def sampled(count: int, seed: int) -> None:
    """Let mutmut try only `count` of its mutants, drawn with this seed."""
    from mutmut import __main__ as app

    collect = app.collect_source_file_mutation_data

    def some(**asked: Any) -> Any:
        mutants, files = collect(**asked)
        mutants.sort(key=lambda mutant: mutant[1])
        return random.Random(seed).sample(mutants, min(count, len(mutants))), files

    app.collect_source_file_mutation_data = some


if __name__ == "__main__":
    extend()
    steady()
    if drawn := os.environ.get("MUTANTS_SAMPLE"):
        sampled(*map(int, drawn.split(":")))
    from mutmut.__main__ import cli

    sys.exit(cli())
