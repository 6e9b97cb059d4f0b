"""`chaos.assert_*`: every checker as a sentence that raises.

One method each, so that an editor can offer them; a test compares the list with the checkers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pytest_mqchaos.chaos.comparing import FaultFreeRuns, compared
from pytest_mqchaos.checkers.registry import checker
from pytest_mqchaos.checkers.verdict import Checker, Verdict
from pytest_mqchaos.errors import VerdictFailed

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.roles import Run

BY_KEY = ("ordered", "latest")  # their `by=` is the mark's `key=` unless it is given


class Assertions:
    """What `Chaos` can be asked. Every `assert_<question>` takes the options of the checker of that
    name and raises `VerdictFailed` with the report unless the verdict is `passed`."""

    key: Any
    fault_free: FaultFreeRuns | None = None

    def judged(self, question: Checker) -> Verdict:
        """Answer one question about everything seen so far."""
        raise NotImplementedError

    def failure_text(self, verdict: Verdict) -> str:
        """The report of a verdict that did not pass."""
        raise NotImplementedError

    def check(self, question: Checker | str, **options: Any) -> Verdict:
        """The verdict of a checker (or of the checker of that name), without raising. Look at its
        `status`: one that did not pass and that nobody looked at fails the test in the end."""
        return cast("Run", self).asked.give(self._answer(question, options))

    def _answer(self, question: Checker | str, options: dict[str, Any]) -> Verdict:
        if not isinstance(question, str):
            return self.judged(question)
        if question in BY_KEY and self.key is not None:
            options = {"by": self.key, **options}
        if question == "same_outcome" and options.get("baseline") is None:
            return compared(cast("Run", self), self.fault_free, options)
        return self.judged(checker(question, **options))

    def _ask(self, question: str, options: dict[str, Any]) -> None:
        __tracebackhide__ = True
        verdict = self._answer(question, options)
        if verdict.status != "passed":
            raise VerdictFailed(self.failure_text(verdict))

    def assert_lossless(self, **options: Any) -> None:
        """Every confirmed or accepted message has all its effects, or is expected."""
        __tracebackhide__ = True
        self._ask("lossless", options)

    def assert_idempotent(self, **options: Any) -> None:
        """No effect happened twice."""
        __tracebackhide__ = True
        self._ask("idempotent", options)

    def assert_ordered(self, **options: Any) -> None:
        """Per key, first effects follow publish order."""
        __tracebackhide__ = True
        self._ask("ordered", options)

    def assert_exactly_once(self, **options: Any) -> None:
        """Nothing lost, nothing twice, nothing unexpected."""
        __tracebackhide__ = True
        self._ask("exactly_once", options)

    def assert_latest(self, **options: Any) -> None:
        """The final value per key is that of the last published version."""
        __tracebackhide__ = True
        self._ask("latest", options)

    def assert_causal(self, **options: Any) -> None:
        """The effect of `after` never precedes the effect of the `before` that it names."""
        __tracebackhide__ = True
        self._ask("causal", options)

    def assert_acked_after_effect(self, **options: Any) -> None:
        """Every ack that covers a message is later than its effect."""
        __tracebackhide__ = True
        self._ask("acked_after_effect", options)

    def assert_confirmed_before_success(self, **options: Any) -> None:
        """Nothing was accepted before its confirm."""
        __tracebackhide__ = True
        self._ask("confirmed_before_success", options)

    def assert_no_gaps(self, **options: Any) -> None:
        """The sequence per producer and partition is continuous as the consumer saw it."""
        __tracebackhide__ = True
        self._ask("no_gaps", options)

    def assert_no_copies(self, **options: Any) -> None:
        """The broker holds at most one message per id."""
        __tracebackhide__ = True
        self._ask("no_copies", options)

    def assert_attempts(self, **options: Any) -> None:
        """No message was handled more often than allowed."""
        __tracebackhide__ = True
        self._ask("attempts", options)

    def assert_delivery(self, **options: Any) -> None:
        """The delivery class observed is the class claimed."""
        __tracebackhide__ = True
        self._ask("delivery", options)

    def assert_dead_lettered(self, **options: Any) -> None:
        """Exactly these ids are in the dead letters."""
        __tracebackhide__ = True
        self._ask("dead_lettered", options)

    def assert_same_outcome(self, **options: Any) -> None:
        """Everything ended as it does without faults."""
        __tracebackhide__ = True
        self._ask("same_outcome", options)
