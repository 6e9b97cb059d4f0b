"""Effects that all name something else than messages: the test's ids do not match those of its
effects, and nothing can be said of any message, neither that it is lost nor that it is unexpected.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.answer import Doubt
from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index


def unmatched(index: Index) -> list[Doubt]:
    """The doubt, if there are messages and effects and not one effect has the id of a message."""
    effects, known = index.known_effects, index.first or index.stored_ids or index.accepted
    if not effects or not known or not effects.isdisjoint(known):
        return []
    if not effects.isdisjoint(index.stored_ids | index.accepted.keys()):
        return []
    return [
        Doubt(
            sentence=f"no effect has the id of a message: effects have {listed(sorted(effects), 1)}"
            f", messages {listed(sorted(known), 1)}",
            missing="say in the mark where a message's id stands (such as id='json:/order_id'), or "
            "let the effect source give the ids that the messages have (where it holds totals and "
            "not messages: assert_same_outcome)",
        )
    ]
