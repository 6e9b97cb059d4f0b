"""Sources of effects that were declared and show nothing because of their name: a file or a table
that is not there, an output topic that nobody publishes to while the service publishes elsewhere.

What such a source does not show is not proven to be missing. Whether anything is missing at all,
and what that means, is who asks' to say.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.doubts import Doubt
from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import PUBLISHER, TEST


def absent(index: Index) -> list[Doubt]:
    """One doubt for each such source."""
    made = [
        Doubt(
            sentence=f"a source of effects is not there: {text}",
            missing="check its name; it is made when the service writes, or by the test before",
        )
        for text in index.history.absent
    ]
    return made + _other_topic(index)


def _other_topic(index: Index) -> list[Doubt]:
    history, flow = index.history, index.history.flow
    empty = history.effect_topics - {row.topic for row in history.stored}
    empty -= {row.topic for row in history.attempts}
    roles = flow.inputs | flow.retries | flow.outputs | flow.dead_letters
    other = sorted({a.topic for a in history.attempts if a.owner not in (PUBLISHER, TEST)} - roles)
    if not (empty and other):
        return []
    return [
        Doubt(
            sentence=f"nothing was published to {listed(sorted(empty))}, whose records are the "
            f"effects, but to {listed(other)}",
            missing=f"check the name: chaos.effects.from_topic({other[0]!r})",
        )
    ]
