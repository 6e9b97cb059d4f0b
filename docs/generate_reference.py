"""Write the reference pages that are made from the code: `python docs/generate_reference.py`."""

# ruff: noqa: INP001 - a script beside the pages it writes

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_mqchaos import Chaos
from pytest_mqchaos.chaos.running import WorkerHandle
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
CHAOS = """# The methods of `chaos`

What the fixtures `kafka_chaos`, `kafka_chaos_broker.chaos(...)` and `simulate` hand to a test. Each
method that waits has a twin for a loop that runs, `..._async`; in virtual time only the twins can
be called. The options of each assertion, and what it counts as what: [assertions](assertions.md).
"""
# Title -> names, in the order in which a test needs them.
SECTIONS = {
    "Addresses": ("bootstrap_servers", "url", "nodes"),
    "What is judged": ("topic", "flow", "expect", "accepted", "effects"),
    "Faults": ("arm", "armed", "heal"),
    "The code under test": ("worker",),
    "Messages": ("publish", "publish_async"),
    "Waiting": ("settle", "settle_async", "wait_for", "wait_for_async"),
    "Answers": ("check", "history", *(f"assert_{name}" for name in CHECKERS)),
}
MORE = {
    "effects": "\n[What shows them](../how-to/effects.md).",
    "arm": "\n[What a rule may be](legality-kafka.md).",
    "worker": "\n[More about workers](../how-to/workers.md).",
    "history": "\n[What is in it](../how-to/write-a-checker.md).",
}
# Public only so that the parts of a Chaos can call each other: no test needs them.
WITHIN = frozenset({
    "close", "closing", "crew", "failure_text", "fault_free", "finish", "finishing", "host",
    "judged", "publishing", "settling", "start", "waiting_for",
})  # fmt: skip


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


def _arguments(function: Any) -> Iterator[str]:
    """Its arguments but `self`, with defaults, as they are written in a `def`."""
    kinds = inspect.Parameter
    found = [one for one in inspect.signature(function).parameters.values() if one.name != "self"]
    for at, one in enumerate(found):
        before = found[at - 1].kind if at else None
        if one.kind is kinds.KEYWORD_ONLY and before not in (one.kind, kinds.VAR_POSITIONAL):
            yield "*"
        stars = "*" * (one.kind is kinds.VAR_POSITIONAL) + "**" * (one.kind is kinds.VAR_KEYWORD)
        default = "" if one.default is one.empty else f"={one.default!r}"
        yield f"{stars}{one.name}{default}"


def member(owner: type, name: str, of: str) -> str:
    """One method or property: how it is called, and the first paragraph of what it says."""
    found = inspect.getattr_static(owner, name)
    asked = CHECKERS.get(name.removeprefix("assert_"), found)  # whose options it takes
    call = "" if isinstance(found, property) else f"({', '.join(_arguments(asked))})"
    said = (inspect.getdoc(found) or "").split("\n\n")[0]
    return f"### `{of}.{name}{call}`\n\n{said}{MORE.get(name, '')}"


def methods() -> str:
    """The page of what a test can call."""
    parts = [MADE, CHAOS.rstrip()]
    for title, names in SECTIONS.items():
        parts += [f"## {title}", *(member(Chaos, name, "chaos") for name in names)]
    handle = [name for name in vars(WorkerHandle) if name in ("crash", "crash_async", "pids")]
    parts += ["## What `chaos.worker` gives", "`with chaos.worker(...) as worker:`"]
    return "\n\n".join([*parts, *(member(WorkerHandle, name, "worker") for name in handle)]) + "\n"


def pages() -> dict[str, str]:
    """Every generated page: its path below docs/reference -> its text."""
    return {**render.pages(), "assertions.md": assertions(), "chaos.md": methods()}


def main() -> None:
    """Write every page whose text has changed."""
    for name, text in pages().items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
