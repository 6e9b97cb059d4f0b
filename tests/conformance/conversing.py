"""One conversation through a link: a fresh topic, the rules, and what must hold when it is over."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass

from pytest_mqchaos import Plan

FIVE = ["p1", "p2", "p3", "p4", "p5"]
THIRD_TWICE = ["p1", "p2", "p3", "p3", "p4", "p5"]
LIMIT = 20  # seconds that any wait here may take at most


def shows(point, *verbs):
    """Says which faults a test shows; tests/conformance/test_complete.py compares them with the
    legality table and with the recipes."""

    def mark(test):
        test.shows = getattr(test, "shows", frozenset()) | {(str(point), verb) for verb in verbs}
        return test

    return mark


@dataclass(frozen=True, slots=True)
class Conversation:
    chaos: object
    topic: str
    group: str

    @property
    def servers(self):
        return str(self.chaos.bootstrap_servers)

    @property
    def stored(self):
        return [row.id for row in self.chaos.history.stored]

    @property
    def attempts(self):
        """(id, reached the broker, what the producer was told) in the order of the frames."""
        return [(row.id, row.reached, row.outcome) for row in self.chaos.history.attempts]

    @property
    def tries(self):
        return [row.id for row in self.chaos.history.attempts]

    @property
    def delivered(self):
        """What was let through to a consumer."""
        return [row.id for row in self.chaos.history.deliveries if row.reached]

    @property
    def acks(self):
        return [(row.offset, row.reached, row.outcome) for row in self.chaos.history.acks]

    @property
    def reasons(self):
        return [reason for rule in self.chaos.history.rules for reason in rule.reasons]

    @property
    def fired(self):
        """How often each rule took effect, when nothing that one asked for is under way any more:
        the next incarnation may have done all its work before the crash of the last is told."""
        self.chaos.wait_for(lambda: not self.chaos.view.status()["asked"], LIMIT, "what was asked")
        return [rule.fired for rule in self.chaos.armed]

    def publish(self, *ids):
        receipts = self.chaos.publish(self.topic, list(ids or FIVE))
        assert [receipt.outcome for receipt in receipts] == ["confirmed"] * len(receipts)

    def steps(self, index=0):
        """What the life of one rule looked like."""
        found = self.chaos.history.rule_events
        return [event.what for event in found if event.rule == index]

    def lasted(self, index=0):
        """Seconds from the trigger of a rule to its effect."""
        at = {e.what: e.t for e in self.chaos.history.rule_events if e.rule == index}
        return (at["took effect"] - at["triggered"]) / 1e9


def at_rest(chaos):
    """Nothing is under way any more: no firing, no held frame, no dark link."""
    status = chaos.view.status()
    return not (status["firing"] or status["held"] or status["dark"])


@contextlib.contextmanager
def conversation(broker, *rules, partitions=1, nodes=None, **settings):
    """Every rule has ended when the clients are gone, and nothing of it stays on the links.
    `settings` are those of the topic."""
    name = uuid.uuid4().hex[:10]
    with broker.chaos(Plan(*rules), nodes=nodes, id="value", own_assertions=True) as chaos:
        chaos.topic(name, partitions=partitions, **settings)
        yield Conversation(chaos, name, f"group-{name}")
        chaos.wait_for(lambda: at_rest(chaos), LIMIT, "every firing to end")
        assert all(state["firing"] == 0 for state in chaos.rules.states().values())
        assert chaos.view.status()["undecoded"] == 0
        assert list(chaos.history.gaps) == []
