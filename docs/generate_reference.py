"""Write the reference pages that are made from the code: `python docs/generate_reference.py`."""

# ruff: noqa: INP001 - a script beside the pages it writes

import importlib
import inspect
from pathlib import Path

from pytest_mqchaos.checkers.registry import CHECKERS
from pytest_mqchaos.plan import render

HERE = Path(__file__).parent / "reference"
MADE = "<!-- Made from the code by docs/generate_reference.py; change the code, not this page. -->"
HEAD = """# Assertions

Each is one question about everything seen so far, asked as `chaos.assert_<question>(...)`, which
raises with the report unless the answer is `passed`; `chaos.check("<question>", ...)` gives the
verdict instead: look at its `status` (a failure that nobody looked at fails the test in the end).
Ask after `chaos.settle()`.

An answer is `passed`, `failed` or `unknown`. `unknown` fails the test too, and says what was
missing and what to add: a wrong verdict is worse than none. Each answer states its population
(how much was looked at); a population of 0 is `unknown` when a fault was armed (where all rules are
`optional`, as drawn ones are: only if something was to be expected in it). Words:
*confirmed* = the broker said that it is safe; *accepted* = your service told its own caller so
(`chaos.accepted(id)`); *effect* = what your code did to the world
([effects](../how-to/effects.md)); *expected* = declared by `chaos.expect(dead_lettered=,
expired=, dropped=, ignored=)`; *posthumous* = recorded by a worker after its crash.

A question of your own is a function: [write a checker](../how-to/write-a-checker.md)."""


def question(name: str) -> str:
    """One question: how it is asked, what its options mean, what it counts as what."""
    factory = CHECKERS[name]
    options = ", ".join(
        option.name + ("" if option.default is option.empty else f"={option.default!r}")
        for option in inspect.signature(factory).parameters.values()
    )
    meaning = inspect.getdoc(importlib.import_module(factory.__module__))
    return f"## `assert_{name}({options})`\n\n{inspect.getdoc(factory)}\n\n{meaning}"


def assertions() -> str:
    """The page of all assertions."""
    return "\n\n".join([MADE, HEAD, *map(question, CHECKERS)]) + "\n"


def pages() -> dict[str, str]:
    """Every generated page: its path below docs/reference -> its text."""
    return {**render.pages(), "assertions.md": assertions()}


def main() -> None:
    """Write every page whose text has changed."""
    for name, text in pages().items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
