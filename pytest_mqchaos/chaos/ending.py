"""What only the end of a test can tell. Silence is not success.

A worker that failed, a rule that never took effect, a run in which nothing was seen, a test that
asked nothing, or too early, or never looked at the answer, a data plane in trouble: each fails the
test in one sentence of its own.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_mqchaos.errors import NotApplicable, VerdictFailed
from pytest_mqchaos.report import text

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.roles import Run
    from pytest_mqchaos.chaos.telling import Telling


def end_of_test(chaos: Run, telling: Telling) -> None:
    """Raise `VerdictFailed` (or the worker's own exception) for what must not pass."""
    failure = chaos.crew.failure
    if failure is not None:
        raise failure
    if chaos.host.troubles:
        troubles = "; ".join(chaos.host.troubles)
        chaos.host.troubles.clear()
        raise VerdictFailed(f"the data plane had trouble, nothing is certain: {troubles}")
    history = chaos.last_history = chaos.history
    context = telling.context(chaos)
    unfired = [rule for rule in history.rules if not rule.fired and not rule.optional]
    if unfired:
        telling.keep(history, context.payloads)
        # A reason is an observation ("this client never had two requests in flight").
        if telling.profile and all(rule.reasons for rule in unfired):
            reasons = dict.fromkeys(reason for rule in unfired for reason in rule.reasons)
            told = text.unfired(history, context)
            raise NotApplicable(
                f"NOT APPLICABLE: {telling.profile}: {'; '.join(reasons)}\n\n{told}"
            )
        raise VerdictFailed(text.unfired(history, context))
    for verdict in chain(chaos.asked.unread(), chaos.asked.failed_since(history)):
        raise VerdictFailed(chaos.failure_text(verdict))
    if not chaos.verdicts and not chaos.own_assertions:
        raise VerdictFailed(text.no_question(history, context))
    if not history.links and not chaos.drawn:
        raise VerdictFailed(
            "nothing was observed: no client ever connected to a link. Give your service "
            f"chaos.bootstrap_servers ({chaos.bootstrap_servers}) and check that it uses it"
        )
