"""What groups of both protocols promise, whatever their members do: no partition has two owners, a
commit is kept or refused, and who is quick gets everything in the end."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.kafka_cluster.beating import Beater, settled
from tests.kafka_cluster.joining import Joiner
from tests.kafka_cluster.talking import MS, Talker, cluster

PARTITIONS = 5
WHO = st.integers(0, 3)


class _Group(RuleBasedStateMachine):
    """`committed` is what a reader must find."""

    def __init__(self):
        super().__init__()
        self.brokers = cluster(group_consumer_session_timeout_ms=10_000)
        self.admin = Talker(self.brokers)
        self.admin.create("t", partitions=PARTITIONS)
        self.members = {}
        self.committed = -1
        self.offsets = iter(range(1_000_000))
        self.names = iter(range(1_000_000))
        self.now = 0

    def pass_time(self, seconds):
        self.now += seconds * 1_000 * MS
        self.brokers.wake(self.now)
        for member in [self.admin, *self.members.values()]:
            member.now = self.now

    def read(self):
        asked = {"group_id": "g", "topics": [{"name": "t", "partition_indexes": [0]}]}
        (group,) = self.admin.ask(9, 8, groups=[asked], require_stable=False).groups
        return group.topics[0].partitions[0].committed_offset

    def note(self, code, offset):
        if code == 0:
            self.committed = offset

    @invariant()
    def what_was_committed_is_there(self):
        assert self.read() == self.committed

    @rule()
    def the_coordinator_moves(self):
        self.brokers.state.groups.moved(["g"], self.now)


class Modern(_Group):
    """KIP-848. A member here has what it was given until it is told to give it up, and does so at
    once or not; it is out when it was not heard for a session."""

    def __init__(self):
        super().__init__()
        self.heard = {}

    def owned(self, member):
        return member.owned if member.epoch > 0 else set()

    def hear(self, who, answer):
        member = self.members[who]
        if answer.error_code == 0:
            self.heard[who] = self.now
        else:
            assert answer.error_code in {25, 82, 110, 111}
            member.owned, member.epoch = set(), 0

    @rule(who=WHO, static=st.booleans())
    def come(self, who, static):
        if who not in self.members:
            name = f"m{next(self.names)}"
            member = Beater(self.brokers, name, instance=f"s{who}" if static else None)
            member.now = self.now
            self.members[who] = member
            self.hear(who, member.settle())

    @rule(who=WHO, quick=st.sampled_from([True, False, False]))
    def beat(self, who, quick):
        if who in self.members:
            member = self.members[who]
            answer = member.beat()
            if answer.error_code == 0 and answer.assignment is not None:
                member.owned = set(member.told) if quick else member.owned | member.told
            self.hear(who, answer)

    @rule(who=WHO, for_good=st.booleans())
    def go(self, who, for_good):
        member = self.members.pop(who, None)
        if member is not None:
            away = member.instance is not None and not for_good
            assert member.leave(-2 if away else -1).error_code in {0, 25, 82}

    @rule(seconds=st.sampled_from([1, 4, 11]))
    def wait(self, seconds):
        self.pass_time(seconds)
        for who, when in list(self.heard.items()):
            if self.now - when >= 10_000 * MS:
                del self.heard[who]
                if who in self.members:
                    self.members[who].owned = set()  # it must not think otherwise by now

    @rule(who=WHO, late=st.booleans())
    def commit(self, who, late):
        if who in self.members:
            member, offset = self.members[who], next(self.offsets)
            epoch = max(member.epoch - late, 0)
            parts = [{"partition_index": 0, "committed_offset": offset, "committed_metadata": ""}]
            answer = member.ask(
                8, 9, group_id="g", generation_id_or_member_epoch=epoch, member_id=member.member,
                topics=[{"name": "t", "partitions": parts}],
            )  # fmt: skip
            self.note(answer.topics[0].partitions[0].error_code, offset)

    @invariant()
    def no_partition_has_two_owners(self):
        owners = [at for member in self.members.values() for at in self.owned(member)]
        assert len(owners) == len(set(owners))
        group = self.brokers.state.groups.consumer("g")
        if group is not None:
            held = [place for one in group.members.values() for place in one.assigned]
            assert len(held) == len(set(held))

    def teardown(self):
        live = [one for one in self.members.values() if one.epoch > 0]
        for who, member in list(self.members.items()):
            self.hear(who, member.settle())
        live = [one for one in live if one.epoch > 0]
        gone = self.brokers.state.groups.consumer("g")
        strangers = set(gone.members) - {one.member for one in live} if gone is not None else set()
        if live and not strangers:
            for member in live:
                member.owned = set(member.told)  # from now on all are quick
            shares = settled(*live, rounds=8)
            assert sorted(at for share in shares for at in share) == list(range(PARTITIONS))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


class Classic(_Group):
    """JoinGroup and SyncGroup. Each member joins when it is told to; the leader deals out."""

    @initialize()
    def nobody(self):
        self.mine = {}

    def _hear(self, who):
        member = self.members[who]
        for answer in member.heard():
            if hasattr(answer, "members") and answer.error_code in {0, 79}:
                member.member, member.generation = answer.member_id, answer.generation_id
                self.mine.pop(who, None)
                if answer.error_code == 79:
                    member.say_join()
                else:
                    dealt = [(one.member_id, b"%d" % at) for at, one in enumerate(answer.members)]
                    member.say_sync(dealt)
            elif hasattr(answer, "assignment") and answer.error_code == 0:
                self.mine[who] = (member.generation, answer.assignment)
            elif answer.error_code in {22, 27}:
                self.mine.pop(who, None)
                member.say_join()
            else:
                assert answer.error_code in {16, 25, 82}, answer
                self.mine.pop(who, None)
                member.member = "" if answer.error_code == 25 else member.member
                member.say_join() if answer.error_code in {16, 25} else None

    @rule(who=WHO, static=st.booleans())
    def come(self, who, static):
        if who not in self.members:
            member = Joiner(self.brokers)
            member.now, member.instance = self.now, f"s{who}" if static else None
            self.members[who] = member
            member.say_join()
            self._hear(who)

    @rule(who=WHO)
    def listen(self, who):
        if who in self.members:
            self._hear(who)

    @rule()
    def everybody_listens(self):
        for _ in range(3):
            for who in sorted(self.members):
                self._hear(who)

    @rule(who=WHO)
    def beat(self, who):
        if who in self.mine:
            code = self.members[who].beat()
            if code != 0:
                assert code in {22, 25, 27, 82}
                self.mine.pop(who)
                self.members[who].say_join()

    @rule(who=WHO, politely=st.booleans())
    def go(self, who, politely):
        member = self.members.pop(who, None)
        self.mine.pop(who, None)
        if member is not None and politely and member.member:
            out = {"member_id": member.member, "group_instance_id": member.instance}
            answer = self.admin.ask(13, 5, group_id="g", members=[out])
            assert answer.members[0].error_code in {0, 25, 82}

    @rule(seconds=st.sampled_from([1, 4, 11, 31]))
    def wait(self, seconds):
        self.pass_time(seconds)

    @rule(who=WHO)
    def commit(self, who):
        if who in self.mine:
            offset = next(self.offsets)
            code = self.members[who].commit(offset)
            assert code in {0, 22, 25, 27, 82}
            if code == 0:
                assert self.mine[who][0] == self.brokers.state.groups.classic("g").generation
            self.note(code, offset)

    @invariant()
    def no_share_has_two_owners_in_a_generation(self):
        shares = list(self.mine.values())
        assert len(shares) == len(set(shares))

    @invariant()
    def who_waits_is_a_member(self):
        group = self.brokers.state.groups.classic("g")
        if group is not None and group.phase == "Stable":
            assert all(one.sync is None for one in group.roster.all())


def _run(machine, examples):
    more = settings(max_examples=examples, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(machine, settings=more)


@pytest.mark.parametrize("machine", [Modern, Classic])
def test_groups_keep_what_they_promise(machine):
    _run(machine, 25)


@pytest.mark.wide
@pytest.mark.parametrize("machine", [Modern, Classic])
def test_groups_keep_what_they_promise_at_length(machine):
    _run(machine, 200)
