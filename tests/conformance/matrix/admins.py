"""What is asked of admin clients: the broker has done what they say, and says what they report."""

from __future__ import annotations

import contextlib

from tests.conformance.conversing import FIVE
from tests.conformance.matrix.client import Standing
from tests.conformance.matrix.consumers import ids, reading, take

UNKNOWN_TOPIC = 3


@contextlib.contextmanager
def administering(seen, client):
    admin = client.admin(seen.servers)
    try:
        yield admin
    finally:
        admin.close()


def create_topic(seen, client):
    """With its partitions and its settings: a message above the limit we set is refused by them."""
    direct, name = seen.chaos.host.side.direct, f"{seen.topic}-made"
    with administering(seen, client) as admin:
        admin.create(name, 3, {"max.message.bytes": "300"})
        seen.chaos.scope.made(name)  # removed afterwards
        seen.chaos.wait_for(
            lambda: len(direct.metadata([name]).topics[name].leaders) == 3, what="its leaders"
        )
        assert name in admin.topics()
    receipts = seen.chaos.publish(name, ["small", "x" * 400], attempts=1)
    assert [one.outcome for one in receipts] == ["confirmed", "refused"]
    assert "MessageSizeTooLarge" in receipts[1].error


def delete_topic(seen, client):
    direct = seen.chaos.host.side.direct
    seen.publish()
    with administering(seen, client) as admin:
        admin.delete(seen.topic)
        seen.chaos.wait_for(
            lambda: direct.metadata([seen.topic]).topics[seen.topic].error == UNKNOWN_TOPIC,
            what="the topic to be gone",
        )
        assert seen.topic not in admin.topics()


def list_groups(seen, client):
    """Those with members and those without."""
    seen.publish()
    names = {f"{seen.group}-{which}" for which in ("gone", "here")}
    with reading(seen, client, f"{seen.group}-gone") as reader:
        take(reader, 1)
    with reading(seen, client, f"{seen.group}-here") as reader:
        take(reader, 1)
        with administering(seen, client) as admin:
            listed = admin.groups()
    assert names <= listed
    assert listed == {group.name for group in seen.chaos.host.side.direct.groups()}


def describe_groups(seen, client):
    """Its state and its members, as the broker names them, with one and with none."""
    seen.publish()
    with administering(seen, client) as admin:
        with reading(seen, client) as reader:
            assert ids(take(reader, 5)) == FIVE
            (group,) = standing(seen)
            member = frozenset(member.id for member in group.members)
            assert len(member) == 1
            assert admin.describe(seen.group) == Standing("stable", member)
        assert admin.describe(seen.group) == Standing("empty", frozenset())


def standing(seen):
    return [one for one in seen.chaos.host.side.direct.groups() if one.name == seen.group]
