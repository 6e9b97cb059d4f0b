"""A group member for tests: a `Talker` that joins, syncs, beats, leaves and commits."""

from __future__ import annotations

from tests.kafka_cluster.talking import Talker

SESSION, REBALANCE = 10_000, 30_000
RANGE = (("range", b"r"),)


class Joiner(Talker):
    """A member; `member` and `generation` are what it was told last; with an `instance` it is a
    static one."""

    member, generation, instance = "", -1, None
    group, topic, protocol = "g", "t", "range"

    def say_join(self, *, version=9, protocols=RANGE, session=SESSION, **more):
        values = {
            "group_id": self.group,
            "session_timeout": session,
            "rebalance_timeout": REBALANCE,
            "member_id": self.member,
            "protocol_type": "consumer",
            "protocols": [{"name": name, "metadata": data} for name, data in protocols],
            "group_instance_id": self.instance,
        }
        self.say(11, version, **{**values, **more})

    def joined(self):
        (answer,) = self.heard()
        if answer.error_code in {0, 79}:
            self.member, self.generation = answer.member_id, answer.generation_id
            self.protocol = answer.protocol_name or self.protocol
        return answer

    def join(self, **more):
        """Join as clients do: once for the id, once with it; gives the last answer if any."""
        if not self.member and self.instance is None:
            self.say_join(**more)
            assert self.joined().error_code == 79
        self.say_join(**more)

    def say_sync(self, assignments=(), **more):
        given = [{"member_id": who, "assignment": what} for who, what in assignments]
        named = {"protocol_type": "consumer", "protocol_name": self.protocol}
        self.say(14, 5, **{**self._me(), **named, "assignments": given, **more})

    def synced(self):
        (answer,) = self.heard()
        return answer.error_code, answer.assignment

    def beat(self, **more):
        return self.ask(12, 4, **{**self._me(), **more}).error_code

    def leave(self):
        who = {"member_id": self.member, "group_instance_id": self.instance}
        return self.ask(13, 5, group_id=self.group, members=[who]).members[0].error_code

    def commit(self, offset=5, **more):
        parts = [{"partition_index": 0, "committed_offset": offset, "committed_metadata": "m"}]
        values = {
            "group_id": self.group,
            "generation_id_or_member_epoch": self.generation,
            "member_id": self.member,
            "group_instance_id": self.instance,
            "topics": [{"name": self.topic, "partitions": parts}],
        }
        answer = self.ask(8, 8, **{**values, **more})
        return answer.topics[0].partitions[0].error_code

    def _me(self):
        mine = {"generation_id": self.generation, "member_id": self.member}
        return {"group_id": self.group, "group_instance_id": self.instance, **mine}


def stable(brokers, count, *, static=False):
    """A group of `count` members that all have their assignment; the first leads. Static ones are
    called "s0", "s1", ..."""
    members = [Joiner(brokers, client=f"c{at}") for at in range(count)]
    for at, member in enumerate(members):
        member.instance = f"s{at}" if static else None
    for at, member in enumerate(members):
        member.join()
        for earlier in members[:at]:
            earlier.say_join()
        for one in members[: at + 1]:
            one.joined()
        members[0].say_sync([(one.member, one.client.encode()) for one in members[: at + 1]])
        for follower in members[1 : at + 1]:
            follower.say_sync()
        for one in members[: at + 1]:
            assert one.synced() == (0, one.client.encode())
    return members
