"""Every question by its name: from here the `assert_*` methods and the reference are generated.

A checker of your own needs no entry here; one more entry is all that a new built-in needs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, cast

from pytest_mqchaos.checkers.verdict import Checker, Verdict
from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.history.history import History

Factory: TypeAlias = Callable[..., Checker]

QUESTIONS = (
    "lossless",
    "idempotent",
    "ordered",
    "exactly_once",
    "latest",
    "causal",
    "acked_after_effect",
    "confirmed_before_success",
    "no_gaps",
    "no_copies",
    "attempts",
    "dead_lettered",
    "delivery",
    "same_outcome",
)


class _Table(Mapping[str, Factory]):
    """Name -> factory of keyword-only options; a question's module is imported when it is asked."""

    def __getitem__(self, name: str) -> Factory:
        if name not in QUESTIONS:
            raise KeyError(name)
        module = importlib.import_module(f"pytest_mqchaos.checkers.{name}")
        return cast(Factory, getattr(module, name))

    def __iter__(self) -> Iterator[str]:
        return iter(QUESTIONS)

    def __len__(self) -> int:
        return len(QUESTIONS)


CHECKERS: Mapping[str, Factory] = _Table()


def checker(name: str, **options: object) -> Checker:
    """Make a checker by its name. `UsageError` for an unknown name or option."""
    if name not in CHECKERS:
        raise unknown("question", name, QUESTIONS)
    try:
        return CHECKERS[name](**options)
    except TypeError as error:
        raise UsageError(f"{name}: {error}") from error


def run(asked: Checker, history: History) -> Verdict:
    """Ask a checker. One that raises answers `unknown`; a `UsageError` is the test's own."""
    try:
        return asked(history)
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken checker must never look like a pass
        name = getattr(asked, "__qualname__", type(asked).__name__).split(".")[0]
        return Verdict(
            question=name,
            status="unknown",
            sentence=f"the checker raised {type(error).__name__}: {error}",
            missing="report this, with the history, or mend the checker",
        )
