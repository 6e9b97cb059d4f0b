"""A member of a KIP-848 group for tests: a `Talker` that beats, and gives up what it is told to."""

from __future__ import annotations

from tests.kafka_cluster.talking import Talker

PATIENCE = 30_000


class Beater(Talker):
    """A member; `epoch` is what it was told last, `owned` the partitions of topic "t" it has."""

    group, topic = "g", "t"

    def __init__(self, brokers, member, *, instance=None, node=1):
        super().__init__(brokers, node)
        self.member, self.instance, self.epoch = member, instance, 0
        self.owned: set[int] = set()
        self.topics = [self.topic]

    def beat(self, **more):
        """Beat as clients do: everything when joining, afterwards only what it owns."""
        whole = {"rebalance_timeout": PATIENCE, "subscribed_topic_names": self.topics}
        values = {
            "group_id": self.group,
            "member_id": self.member,
            "member_epoch": self.epoch,
            "instance_id": self.instance,
            "topic_partitions": self.places(() if self.epoch == 0 else self.owned),
            **(whole if self.epoch == 0 else {}),
        }
        answer = self.ask(68, 1, **{**values, **more})
        if answer.error_code == 0:
            self.epoch = answer.member_epoch
            if answer.assignment is not None:
                self.told = {
                    at for one in answer.assignment.topic_partitions for at in one.partitions
                }
        return answer

    def settle(self, **more):
        """Beat, and have exactly what the answer says, as a client that is quick."""
        answer = self.beat(**more)
        if answer.error_code == 0 and answer.assignment is not None:
            self.owned = set(self.told)
        return answer

    def leave(self, epoch=-1):
        return self.ask(
            68, 1, group_id=self.group, member_id=self.member, member_epoch=epoch,
            instance_id=self.instance, topic_partitions=None,
        )  # fmt: skip

    def commit(self, partition=0, *, version=9, **more):
        parts = [{"partition_index": partition, "committed_offset": 5, "committed_metadata": ""}]
        values = {
            "group_id": self.group,
            "generation_id_or_member_epoch": self.epoch,
            "member_id": self.member,
            "topics": [{"name": self.topic, "partitions": parts}],
        }
        answer = self.ask(8, version, **{**values, **more})
        return answer.topics[0].partitions[0].error_code

    def places(self, partitions):
        if not partitions:
            return []
        return [{"topic_id": self.topic_id(), "partitions": sorted(partitions)}]

    def topic_id(self):
        return self.cluster.state.topics.get(self.topic).id


def settled(*members, rounds=6):
    """Have all beat in turn until each has what it should have."""
    for _ in range(rounds):
        for member in members:
            assert member.settle().error_code == 0
    return [member.owned for member in members]
