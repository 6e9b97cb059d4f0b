"""How often was a message worked on? By what handlers said themselves (`effects.attempt(id)`).

Where one fetch hands out many messages (Kafka) a delivery is no handling, so without handler
evidence the answer is unknown. Hops through retry destinations need no care: a handler that starts
again says so. More starts than allowed stay proven in spite of a gap.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import Doubt, standing_doubts
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import number
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import index_of


def attempts(*, at_most: int) -> Checker:
    """No message was worked on more than `at_most` times."""
    if isinstance(at_most, bool) or not isinstance(at_most, int) or at_most < 1:
        raise UsageError(f"attempts(at_most={at_most!r}): give a whole number, 1 or more.")

    def check(history: History) -> Verdict:
        index = index_of(history)
        starts = {
            name: len(rows)
            for name, rows in index.stories.handled.items()
            if name not in index.ambiguous
        }
        failed = [
            Finding(id=name, what="attempts", text=f"{name!r} was started {count}x")
            for name, count in sorted(starts.items(), key=lambda item: -item[1])
            if count > at_most
        ]
        doubts = standing_doubts(index)
        if not starts and index.owed:
            fetched = sum(1 for d in history.deliveries if d.reached)
            doubts.append(
                Doubt(
                    sentence=f"no handler said that it starts ({fetched} deliveries were fetched, "
                    "which is not handled)",
                    missing="call chaos.effects.attempt(id) at the start of the handler",
                )
            )
        most = max(starts.values(), default=0)
        return answer(
            "attempts",
            index,
            population={**index.funnel, "started": sum(starts.values()), "most starts": most},
            size=len(starts),
            passed=f"{number(len(starts), 'message')} started at most {most}x",
            failed=failed,
            sentence=f"{len(failed)} of {number(len(starts), 'message')} started more than "
            f"{at_most}x: {failed[0].text if failed else ''}",
            doubts=doubts,
            advice="count retries, then set the message aside (dead letter) and alarm",
            nothing="no handler start was recorded",
            add="call chaos.effects.attempt(id) at the start of the handler",
        )

    return check
