"""What replication promises under any sequence of deeds, against a small oracle of its own.

The oracle knows only what clients saw: which records were confirmed, how far anybody could read.
"""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.kafka_cluster.talking import MS, Talker, batch, cluster

NODES = (1, 2, 3)
DEEDS = st.one_of(
    st.tuples(st.just("produce"), st.sampled_from(NODES), st.integers(1, 3)),
    st.tuples(
        st.sampled_from(("kill", "restart", "pause", "resume", "hold", "move")),
        st.sampled_from(NODES),
        st.just(0),
    ),
    st.tuples(
        st.sampled_from(("isolate", "reunite", "release")), st.sampled_from(NODES), st.just(0)
    ),
    st.tuples(st.just("later"), st.just(0), st.sampled_from((1, 100, 499, 501, 1600))),
)

POSSIBLE = {
    "kill": ("up", "paused", "starting"),
    "restart": ("down",),
    "pause": ("up",),
    "resume": ("paused",),
}


class Watched:
    """A cluster of three, what its clients were told, the promises looked at after each deed."""

    def __init__(self, acks: int) -> None:
        self.brokers, self.now, self.acks = cluster(3), 0, acks
        Talker(self.brokers).create("t", replicas=3, min_insync_replicas="2")
        self.made = 0
        self.asked: dict[int, tuple[Talker, int]] = {}
        self.confirmed: dict[int, int] = {}  # base offset -> the batch's own time stamp
        self.visible = 0
        self.partition = self.brokers.state.topics.partition("t", 0)

    def do(self, deed: str, node: int, size: int) -> None:
        life = self.brokers._outages.life(node).value if node else None
        if deed == "produce" and life in {"up", "paused"}:
            self.produce(node, size)
        elif deed == "later":
            self.later(size * MS)
        elif life in POSSIBLE.get(deed, ()):
            getattr(self.brokers, deed)(node, self.now)
        elif deed == "hold":
            self.brokers.hold_replication("t", 0, node, self.now)
        elif deed == "move" and self.brokers.leader("t", 0) != node:
            able = self.brokers.state.controller.unfenced & set(self.partition.in_sync)
            if node in able:
                self.brokers.move_leader("t", 0, node, self.now)
        elif deed == "isolate":
            self.brokers.isolate([{node}], self.now)
        elif deed == "reunite":
            self.brokers.reunite(self.now)
        elif deed == "release":
            self.brokers.release_replication(self.now)
        self.hear()
        self.look()

    def produce(self, node: int, count: int) -> None:
        self.made += 1
        talker = Talker(self.brokers, node)
        talker.now = self.now
        records = batch(count, time=self.made * 10_000)
        data = [{"name": "t", "partition_data": [{"index": 0, "records": records}]}]
        talker.say(0, 9, acks=self.acks, timeout=700, topic_data=data)
        self.asked[talker.id] = talker, self.made * 10_000

    def later(self, passed: int) -> None:
        until = self.now + passed
        while (due := self.brokers.next_wake()) is not None and due <= until:
            self.now = max(due, self.now)
            self.brokers.wake(self.now)
        self.now = until

    def hear(self) -> None:
        for talker, stamp in tuple(self.asked.values()):
            for answer in talker.heard():
                del self.asked[talker.id]
                one = answer.responses[0].partition_responses[0]
                if one.error_code == 0:
                    assert one.base_offset not in self.confirmed or self.acks == 1
                    self.confirmed[one.base_offset] = stamp
        for gone in self.brokers.take_closed():
            self.asked.pop(gone, None)
        assert self.brokers.take_failures() == []

    def look(self) -> None:
        """Logs agree below the high watermarks; what could be read once can be read again."""
        logs = [self.stamps(copy) for copy in self.partition.copies.values()]
        for one, copy in zip(logs, self.partition.copies.values(), strict=True):
            for other, beside in zip(logs, self.partition.copies.values(), strict=True):
                both = min(copy.high_watermark, beside.high_watermark)
                assert below(one, both) == below(other, both)
        lead = self.partition.lead()
        if lead is not None:
            level = max(copy.high_watermark for copy in self.partition.copies.values())
            assert lead.high_watermark >= self.visible or lead.log.end >= self.visible
            self.visible = max(self.visible, level)

    @staticmethod
    def stamps(copy) -> list[tuple[int, int]]:
        return [(one.base, struct.unpack_from(">q", one.raw, 27)[0]) for one in copy.log.batches()]

    def heal(self) -> None:
        self.brokers.heal(self.now)
        self.later(3000 * MS)
        self.hear()
        self.look()


def below(stamps, offset):
    return [pair for pair in stamps if pair[0] < offset]


def run(deeds, acks):
    watched = Watched(acks)
    for deed in deeds:
        watched.do(*deed)
    watched.heal()
    return watched


HELD_THEN_ELECTED = [
    ("hold", 3, 0), ("kill", 1, 0), ("later", 0, 501), ("produce", 2, 1), ("kill", 2, 0),
    ("later", 0, 501), ("produce", 3, 1),
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(deeds=st.lists(DEEDS, max_size=30))
@example(deeds=HELD_THEN_ELECTED)
def test_nothing_that_acks_all_confirmed_is_ever_lost(deeds):
    check_acks_all(deeds)


@pytest.mark.wide
@settings(max_examples=3000, deadline=None)
@given(deeds=st.lists(DEEDS, max_size=60))
def test_nor_in_many_more_and_longer_sequences(deeds):
    check_acks_all(deeds)


def check_acks_all(deeds):
    watched = run(deeds, acks=-1)
    lead = watched.partition.lead()
    assert set(watched.partition.in_sync) == set(NODES)
    assert lead.high_watermark == lead.log.end == max([watched.visible, lead.log.end])
    assert watched.confirmed.items() <= dict(watched.stamps(lead.replica)).items()
    assert {len(watched.stamps(copy)) for copy in watched.partition.copies.values()} == {
        len(watched.stamps(lead.replica))
    }


@settings(max_examples=30, deadline=None)
@given(deeds=st.lists(DEEDS, max_size=30))
def test_with_acks_1_replicas_still_agree_on_all_that_anybody_could_read(deeds):
    watched = run(deeds, acks=1)
    logs = [watched.stamps(copy) for copy in watched.partition.copies.values()]
    assert logs[0] == logs[1] == logs[2]


def test_the_oracle_sees_a_loss_where_there_is_one():
    """The one way in which acks=1 loses: it would be told if acks=all did."""
    deeds = [("hold", node, 0) for node in NODES]
    deeds += [("produce", 1, 1), ("kill", 1, 0), ("later", 0, 501), ("release", 1, 0)]
    watched = run([*deeds, ("produce", 2, 1)], acks=1)
    lead = watched.partition.lead()
    stamps = dict(watched.stamps(lead.replica))
    assert watched.made == 2
    assert 10_000 not in stamps.values()
