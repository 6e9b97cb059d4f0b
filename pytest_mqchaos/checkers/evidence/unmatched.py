"""Ids that do not match. Effects that all name something else than messages: nothing can be said of
any message, neither that it is lost nor that it is unexpected. Acceptances that do: nothing was
proven to be accepted too early, or in vain.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.doubts import Doubt
from pytest_mqchaos.checkers.wording import listed, number
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


def unmatched_acceptances(index: Index) -> list[Doubt]:
    """The doubt, if not one of several ids that the service accepted is that of a message. A single
    one may well be the one that was never sent."""
    accepted, known = index.accepted.keys(), _published(index)
    if len(accepted) == 1 or not known or not accepted.isdisjoint(known):
        return []
    return [
        Doubt(
            sentence="no accepted id is that of a message: chaos.accepted was told "
            f"{listed(sorted(accepted), 1)}, messages have {listed(sorted(known), 1)}",
            missing="tell chaos.accepted the id that the message has (see id= in the mark)",
        )
    ]


def attempted(index: Index) -> set[str]:
    """Ids of everything that anybody attempted, on whatever destination; but what stands in one
    that is read as effects is an effect itself, unless it is the messages, too (a producer's)."""
    return _published(index) | index.accepted.keys()


def _published(index: Index) -> set[str]:
    history = index.history
    itself = history.effect_topics - index.inputs
    known = {a.id for a in history.attempts if a.topic not in itself}
    known |= {s.id for s in history.stored if s.topic not in itself}
    known |= {d.id for d in history.deliveries if d.topic not in itself}
    return {name for name in known if name is not None}


def others(index: Index) -> str:
    """What to say of effects (or else of words of the test) that have ids of no message, where
    messages have none; "" if there are none such."""
    known = attempted(index)
    found = sorted(index.known_effects - known)
    if not found:
        strange = sorted(index.history.expected.all() - known)
        return f". But chaos.expect names ids of no message ({listed(strange)})" if strange else ""
    return (
        f". But {number(len(found), 'id')} of effects {'is' if len(found) == 1 else 'are'} of no "
        f"message ({listed(found)}): one spelling of ids is needed in messages and effects"
    )
