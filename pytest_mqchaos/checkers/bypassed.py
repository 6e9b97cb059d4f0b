"""What passed the links by: work on messages that nobody was seen to be handed, messages that
nobody was seen to publish, groups whose positions moved unseen.

None of it is a failure and none of it can be judged as if it had been seen: a pass says it, and a
question that rests on deliveries does not pass. It must never guess who it was.

    effect, stored, no delivery on a link: by-passed      stored, no attempt on a link: foreign
"""

from __future__ import annotations

from typing import cast

from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index

CHECK = "check that every client uses chaos.bootstrap_servers (and the advertised listeners)"


def bypassed(index: Index) -> set[str]:
    """Ids with an effect (for some subscriber) whose delivery no link saw. Of a record that is
    itself the effect (a producer's output) nobody need be handed anything."""
    derived = index.history.derived
    if "bypassed" not in derived:
        derived["bypassed"] = _bypassed(index)
    return cast("set[str]", derived["bypassed"])


def _bypassed(index: Index) -> set[str]:
    history = index.history
    stored = index.stored_ids
    found = (index.known_effects - {d[8] for d in history.deliveries if d[12]}) & stored
    unseen = history.strangers.intersection(n for n in index.subscribers if n is not None)
    if unseen:
        found |= {e[3] for e in index.effects if e[5] in unseen and e[3] in stored}
    if found and history.effect_topics & index.inputs:
        found -= {s[3] for s in index.stored if s[0] in history.effect_topics}
    return found


def foreign(index: Index) -> set[str]:
    """Ids in an input destination that no link saw anybody publish."""
    derived = index.history.derived
    if "foreign" not in derived:
        derived["foreign"] = index.stored_ids.difference(index.first)
    return cast("set[str]", derived["foreign"])


def unseen_work(index: Index) -> str:
    """Words about work on messages that no link handed out; "" for none."""
    found = bypassed(index)
    if not found:
        return ""
    total = len(index.stored_ids & index.known_effects)
    shown = listed(sorted(found))
    return f"{len(found)} of {total} messages with an effect by-passed the links ({shown})"


def unseen_publishes(index: Index) -> str:
    """Words about messages that no link saw anybody publish; "" for none."""
    found = foreign(index)
    if not found:
        return ""
    total = len(index.stored_ids)
    shown = listed(sorted(found))
    return f"{len(found)} of {total} stored messages were published past the links ({shown})"


def unseen_groups(index: Index) -> str:
    """Words about groups that read past every link; "" for none."""
    found = sorted(index.history.strangers)
    return f"read past the links by group {listed(found)}" if found else ""


def unseen(index: Index) -> str:
    """What a pass says about all of that, as one sentence; "" if everything was seen."""
    said = [each(index) for each in (unseen_work, unseen_publishes, unseen_groups)]
    told = "; ".join(text for text in said if text)
    return f"{told}: {CHECK}" if told else ""
