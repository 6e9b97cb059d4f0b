"""Groups answer with the codes of a real Apache Kafka: the same words said to both."""

from __future__ import annotations

import itertools
import socket
import struct
import time

import pytest

from pytest_mqchaos.wire.kafka.coordinators import partition_of
from tests.kafka_cluster.beating import Beater
from tests.kafka_cluster.joining import Joiner
from tests.kafka_cluster.talking import Talker, cluster

pytestmark = pytest.mark.live

LIMIT = 20.0
_names = itertools.count(1)


class _Sockets:
    """Looks like a `Cluster` to a `Talker`, and is one connection each to a real broker."""

    def __init__(self, address):
        self._address = address
        self.open: list[socket.socket] = []

    def connect(self, node, now):
        del node, now
        self.open.append(socket.create_connection(self._address, LIMIT))
        return len(self.open) - 1

    def receive(self, connection, data, now):
        del now
        self.open[connection].sendall(data)

    def take_failures(self):
        return []

    def answer(self, connection):
        """Wait for one whole answer."""
        size = struct.unpack(">i", head := self._exactly(connection, 4))[0]
        return head + self._exactly(connection, size)

    def _exactly(self, connection, size):
        data = b""
        while len(data) < size:
            got = self.open[connection].recv(size - len(data))
            assert got, "the broker closed the connection"
            data += got
        return data


def _beside(group):
    """The name of another group that the same part of the coordinator serves."""
    names = (f"{group}-probe{number}" for number in itertools.count())
    return next(name for name in names if partition_of(name, 50) == partition_of(group, 50))


class _World:
    """Members of one fresh group, here or there; `tell` collects what both must say."""

    def __init__(self, brokers, name):
        self.brokers, self.name, self.said = brokers, name, []
        self.talker = self._made(Talker)
        probe = _beside(name)
        self._assign_at_once(name, probe)
        self._until(self._create, 36)
        self._until(self._coordinated, 25)
        self._known_to_coordinator(probe)

    def _until(self, ask, expected):
        """A new broker takes a moment for its coordinator; a new topic is there when told twice."""
        limit = time.monotonic() + LIMIT
        while ask() != expected:
            assert time.monotonic() < limit

    def _coordinated(self):
        self.talker.ask(10, 3, key=self.name, key_type=0)
        nobody = {"group_id": self.name, "member_id": "nobody", "generation_id": 1}
        return self.talker.ask(12, 3, group_instance_id=None, **nobody).error_code

    def _assign_at_once(self, *groups):
        """Kafka assigns at most once a second; here there is no such interval."""
        if isinstance(self.brokers, _Sockets):
            config = {"name": "consumer.assignment.interval.ms", "value": "0",
                      "config_operation": 0}  # fmt: skip
            asked = [{"resource_type": 32, "resource_name": group, "configs": [config]}
                     for group in groups]  # fmt: skip
            answer = self.talker.ask(44, 1, resources=asked, validate_only=False)
            assert {one.error_code for one in answer.responses} == {0}, answer

    def _known_to_coordinator(self, probe):
        """A coordinator hears of a new topic some time after all others, and a group that was there
        before begins a new epoch then. So another group of the same coordinator has the topic
        first; what was configured before the topic was made is known then, too."""
        member = self.beater("probe")
        member.group = probe
        self.has_all(member)
        assert member.leave().error_code == 0

    def _create(self):
        topic = {"name": self.name, "num_partitions": 4, "replication_factor": 1,
                 "assignments": [], "configs": []}  # fmt: skip
        return self.talker.ask(19, 7, topics=[topic], timeout=10_000).topics[0].error_code

    def _made(self, kind, *rest, **more):
        real = isinstance(self.brokers, _Sockets)
        world = self

        class Made(kind):
            group = topic = world.name

            def heard(self):
                if not real:
                    return super().heard()
                return [self._read(self.cluster.answer(self.id))]

            def topic_id(self):
                topic = {"topic_id": None, "name": world.name}
                values = {"topics": [topic], "allow_auto_topic_creation": False}
                return world.talker.ask(3, 12, **values).topics[0].topic_id

        return Made(self.brokers, *rest, **more)

    def joiner(self, instance=None):
        joiner = self._made(Joiner)
        joiner.instance = instance
        return joiner

    def beater(self, member, **more):
        return self._made(Beater, member, **more)

    def has_all(self, member):
        """Have a member beat until it has everything: Kafka assigns beside its answers."""
        self._until(lambda: len(member.owned) if member.settle() else 0, 4)

    def comes(self, ask, expected):
        """Another connection's request is on its way: ask until it is seen."""
        self._until(ask, expected)

    def tell(self, *codes):
        self.said.append(tuple(int(code) for code in codes))


def static_members(world):
    first, second = world.joiner("one"), world.joiner("two")
    first.say_join()
    world.tell(first.joined().error_code)
    first.say_sync([(first.member, b"1")])
    world.tell(first.synced()[0])
    second.say_join()
    world.comes(first.beat, 27)
    first.say_join()
    world.tell(len(first.joined().members), second.joined().error_code)
    first.say_sync([(first.member, b"1"), (second.member, b"2")])
    second.say_sync()
    world.tell(first.synced()[0], second.synced()[0])
    again = world.joiner("two")
    again.say_join()
    answer = again.joined()
    world.tell(answer.error_code, answer.generation_id, answer.skip_assignment)
    world.tell(second.beat(), second.commit(), second.leave(), second.beat(group_instance_id=None))
    second.say_sync()
    world.tell(second.synced()[0])
    second.say_join()
    world.tell(second.joined().error_code)
    leader = world.joiner("one")
    leader.say_join(version=8)
    answer = leader.joined()
    world.tell(answer.error_code, answer.leader == first.member, len(answer.members))
    leader.say_join(version=9)
    world._until(again.beat, 27)
    again.say_join()
    world.tell(leader.joined().error_code, again.joined().error_code)
    members = [("", "one"), ("x", "two"), ("", "nobody"), ("", None), (again.member, "two")]
    asked = [{"member_id": who, "group_instance_id": name} for who, name in members]
    answer = world.talker.ask(13, 5, group_id=world.name, members=asked)
    world.tell(answer.error_code, *(one.error_code for one in answer.members))


def commits_of_strangers(world):
    stranger = world.joiner()
    world.tell(stranger.commit(generation_id_or_member_epoch=3, member_id="x"))
    world.tell(stranger.commit(), stranger.commit(group_instance_id="name"))
    member = world.joiner()
    member.join()
    world.tell(member.joined().error_code, member.commit())
    member.say_sync([(member.member, b"")])
    world.tell(member.synced()[0], member.commit(), stranger.commit())
    world.tell(stranger.commit(group_instance_id="name"), stranger.commit(member_id="x"))
    world.tell(member.commit(generation_id_or_member_epoch=9), member.commit(group_id=""))


def ids_given_out(world):
    member, ghost = world.joiner(), world.joiner()
    member.join()
    member.joined()
    member.say_sync([(member.member, b"")])
    member.synced()
    ghost.say_join()
    world.tell(ghost.joined().error_code, ghost.leave(), ghost.leave())
    world.tell(member.beat())


def epochs(world):
    (group,) = world.talker.ask(69, 1, group_ids=[world.name]).groups
    return group.group_epoch, group.assignment_epoch, len(group.members)


def beats(world):
    first, second = world.beater("a"), world.beater("b")
    for values in (
        {"group_id": ""}, {"instance_id": ""}, {"rack_id": ""}, {"member_id": ""},
        {"member_epoch": -3}, {"member_epoch": -2}, {"rebalance_timeout": -1},
        {"topic_partitions": None}, {"subscribed_topic_names": None},
        {"server_assignor": "own"}, {"subscribed_topic_regex": "("}, {"member_epoch": 3},
        {"member_epoch": -1},
    ):  # fmt: skip
        world.tell(first.beat(**values).error_code)
    world.has_all(first)
    world.tell(first.epoch)
    world.tell(second.settle().error_code, len(second.owned))
    world.tell(*epochs(world))
    world.tell(first.settle(subscribed_topic_names=[world.name, "x"]).error_code, *epochs(world))
    world.tell(first.settle().error_code, first.epoch, *epochs(world))
    world.tell(second.settle().error_code, second.epoch, len(second.owned))
    world.tell(*epochs(world))
    world.tell(first.beat(member_epoch=9).error_code, first.beat(member_id="x").error_code)
    world.tell(first.beat(group_id="nobody").error_code, second.leave().error_code)
    world.tell(second.leave().error_code, second.beat().error_code)


def static_beats(world):
    first = world.beater("a", instance="one")
    world.has_all(first)
    world.tell(world.beater("b", instance="one").beat().error_code)
    world.tell(first.beat(member_epoch=0, rebalance_timeout=9, topic_partitions=[],
                          subscribed_topic_names=[world.name]).error_code)  # fmt: skip
    world.tell(first.beat(member_id="x").error_code)
    world.tell(first.leave(epoch=-2).member_epoch)
    again = world.beater("c", instance="one")
    answer = again.settle()
    world.tell(answer.error_code, len(again.owned))
    world.tell(first.beat().error_code, first.leave().error_code)
    world.tell(world.beater("d", instance="nobody").beat(member_epoch=3).error_code)


def commits_with_epochs(world):
    first, second = world.beater("a"), world.beater("b")
    world.has_all(first)
    first.commit(0)
    world.tell(first.commit(0, generation_id_or_member_epoch=7), first.commit(0, version=8))
    world.tell(first.commit(0, generation_id_or_member_epoch=0), first.commit(0, member_id="x"))
    world.tell(first.commit(0, member_id="", generation_id_or_member_epoch=-1))
    world.tell(second.commit(0, group_id="nobody", generation_id_or_member_epoch=1))
    asked = {"group_id": world.name, "topics": None, "member_id": "a", "member_epoch": 9}
    for more in {}, {"member_epoch": first.epoch}, {"member_id": "x"}, {"member_id": None}:
        (group,) = first.ask(9, 9, groups=[{**asked, **more}]).groups
        world.tell(group.error_code)
    joiner = world.joiner()
    joiner.member = "a"
    joiner.say_sync(generation_id=first.epoch)
    world.tell(joiner.synced()[0], joiner.beat(generation_id=first.epoch))
    members = [("x", None), ("", None), ("", "nobody")]
    asked = [{"member_id": who, "group_instance_id": name} for who, name in members]
    answer = world.talker.ask(13, 5, group_id=world.name, members=asked)
    world.tell(answer.error_code, *(one.error_code for one in answer.members))
    world.tell(*epochs(world))
    world.tell(joiner.leave(), first.beat().error_code, *epochs(world))
    first.epoch = 0
    world.tell(first.settle().error_code, *epochs(world))
    (old,) = first.ask(15, 6, groups=[world.name], include_authorized_operations=False).groups
    world.tell(old.error_code)
    results = world.talker.ask(42, 2, groups_names=[world.name, "nobody"]).results
    of = {one.group_id: one.error_code for one in results}  # in any order: by coordinator
    world.tell(of[world.name], of["nobody"])
    first.leave()
    joiner.member = ""
    joiner.join()
    world.tell(joiner.joined().error_code)


TALKS = (static_members, commits_of_strangers, ids_given_out, beats, static_beats,
         commits_with_epochs)  # fmt: skip


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.__name__)
def test_the_same_words_get_the_same_codes(talk, kafka):
    name = f"codes-{next(_names)}"
    here = _World(cluster(), name)
    talk(here)
    there = _World(_Sockets(tuple(kafka.addresses()[1])), name)
    talk(there)
    for connection in there.brokers.open:
        connection.close()
    assert here.said == there.said
