"""A transactional producer for tests, request by request, on any `Talker`: codes, numbers out."""

from __future__ import annotations

import time

from tests.kafka_cluster.dialing import Dialer
from tests.kafka_cluster.talking import MS, batch

CONCURRENT = 51  # CONCURRENT_TRANSACTIONS: come again
TRANSACTIONAL = 0x10
_NOT_YET = (CONCURRENT, 19, 6)  # markers on their way, a topic that was just created
LIMIT = 20  # seconds that a real broker may need to write its markers


class Transactor:
    """One producer. `name` is its transactional id; `topic` exists with two partitions. `old`: it
    speaks as clients before KIP-890 part 2 do."""

    def __init__(self, talker, name, topic, *, old=False):
        self.talker, self.name, self.topic, self.old = talker, name, topic, old
        self.group = f"g-{topic}"
        self.id = self.epoch = -1

    def again(self):
        """Another producer with the same transactional id."""
        return Transactor(self.talker, self.name, self.topic, old=self.old)

    # ---------------------------------------------------------------- the coordinator

    def init(self, *, version=4, timeout=60_000, expected=None):
        """InitProducerId, asked again while the broker says so: (code, epoch)."""
        who, epoch = expected or (-1, -1)
        values = {"transactional_id": self.name, "transaction_timeout": timeout}
        if version > 2:
            values |= {"producer_id": who, "producer_epoch": epoch}
        answer = self._patient(lambda: self.talker.ask(22, version, **values))
        if answer.error_code == 0:
            self.id, self.epoch = answer.producer_id, answer.producer_epoch
        return int(answer.error_code), answer.producer_epoch

    def add(self, *partitions, version=3, topic=None):
        """AddPartitionsToTxn as clients send it: the codes."""
        one = {"name": topic or self.topic, "partitions": partitions or (0,)}
        values = {
            "v3_and_below_transactional_id": self.name,
            "v3_and_below_producer_id": self.id,
            "v3_and_below_producer_epoch": self.epoch,
            "v3_and_below_topics": [one],
        }

        def ask():
            answer = self.talker.ask(24, version, **values)
            return answer.results_by_topic_v3_and_below[0].results_by_partition

        codes = [one.partition_error_code for one in ask()]
        until = time.monotonic() + LIMIT
        while CONCURRENT in codes and time.monotonic() < until:
            codes = [one.partition_error_code for one in ask()]
        return [int(code) for code in codes]

    def add_group(self, *, version=3):
        values = self._me() | {"group_id": self.group}
        return int(self._patient(lambda: self.talker.ask(25, version, **values)).error_code)

    def end(self, *, commit=True, version=None):
        """EndTxn, not asked again: the code; who speaks v5 takes the epoch that it is given."""
        version = version or (3 if self.old else 5)
        answer = self.talker.ask(26, version, **self._me(), committed=commit)
        if version > 4 and answer.error_code == 0:
            self.id, self.epoch = answer.producer_id, answer.producer_epoch
        return int(answer.error_code)

    def state(self):
        """DescribeTransactions: (code, state, number of partitions)."""
        answer = self.talker.ask(65, 0, transactional_ids=[self.name])
        (one,) = answer.transaction_states
        places = sum(len(topic.partitions) for topic in one.topics)
        return int(one.error_code), one.transaction_state, places

    # ---------------------------------------------------------------- what is written

    def produce(self, sequence=0, count=1, *, partition=0, version=None, attributes=TRANSACTIONAL):
        """One batch: (code, offset)."""
        # A real broker begins a new file when markers are years younger than records.
        stamp = int(time.time() * 1000) if isinstance(self.talker, Dialer) else 1000
        data = batch(
            count,
            producer=self.id,
            epoch=self.epoch,
            sequence=sequence,
            attributes=attributes,
            time=stamp,
        )
        more = {"transactional_id": self.name if attributes & TRANSACTIONAL else None}
        version = version or (9 if self.old else 12)
        place = {"topic": self.topic, "partition": partition}
        answer = self.talker.produce(data, version=version, **place, **more)
        until = time.monotonic() + LIMIT
        while answer.error_code in _NOT_YET and time.monotonic() < until:
            answer = self.talker.produce(data, version=version, **place, **more)
        return int(answer.error_code), answer.base_offset

    def commit_offset(self, offset, *, version=None, topic=None, **more):
        """TxnOffsetCommit: the code."""
        version = version or (3 if self.old else 5)
        part = {
            "partition_index": 0,
            "committed_offset": offset,
            "committed_leader_epoch": -1,
            "committed_metadata": "m",
        }
        values = self._me() | {
            "group_id": self.group,
            "topics": [{"name": topic or self.topic, "partitions": [part]}],
        }
        if version > 2:
            values |= {"generation_id": -1, "member_id": "", "group_instance_id": None}

        def ask():
            answer = self.talker.ask(28, version, **(values | more))
            return answer.topics[0].partitions[0]

        return int(self._patient(ask).error_code)

    # ---------------------------------------------------------------- what is read

    def position(self, *, stable=True):
        """OffsetFetch: (code, offset)."""
        topics = [{"name": self.topic, "partition_indexes": [0]}]
        answer = self.talker.ask(9, 7, group_id=self.group, topics=topics, require_stable=stable)
        one = answer.topics[0].partitions[0]
        return int(one.error_code), one.committed_offset

    def ends(self, partition=0):
        """ListOffsets: (last stable offset, high watermark)."""
        return tuple(self._latest(partition, level) for level in (1, 0))

    def settled(self, partition=0):
        """The high watermark, once no marker is still to be written."""
        until = time.monotonic() + LIMIT
        while self._prepared() or len(set(self.ends(partition))) > 1:
            assert time.monotonic() < until, "the markers do not come"
        return self.ends(partition)[0]

    def read(self, offset=0, *, committed=True, partition=0):
        """Fetch: (code, last stable, high watermark, first offsets of aborted, batches)."""
        (one,) = self.talker.fetch(
            (self.topic, partition, offset), isolation_level=1 if committed else 0
        )
        aborted = one.aborted_transactions
        firsts = None if aborted is None else [each.first_offset for each in aborted]
        batches = list(walk(bytes(one.records or b"")))
        return int(one.error_code), one.last_stable_offset, one.high_watermark, firsts, batches

    def _prepared(self):
        filters = {"state_filters": ["PrepareCommit", "PrepareAbort"], "producer_id_filters": []}
        listed = self.talker.ask(66, 0, **filters).transaction_states
        return any(one.transactional_id == self.name for one in listed)

    def _latest(self, partition, level):
        asked = {"partition_index": partition, "timestamp": -1, "current_leader_epoch": -1}
        topics = [{"name": self.topic, "partitions": [asked]}]
        answer = self.talker.ask(2, 7, replica_id=-1, isolation_level=level, topics=topics)
        return answer.topics[0].partitions[0].offset

    def _me(self):
        return {
            "transactional_id": self.name,
            "producer_id": self.id,
            "producer_epoch": self.epoch,
        }

    def _patient(self, ask):
        answer, until = ask(), time.monotonic() + LIMIT
        while answer.error_code == CONCURRENT and time.monotonic() < until:
            answer = ask()
        return answer


def walk(data):
    """Each batch: base offset, attributes, producer epoch, sequence, key and value of a marker."""
    at = 0
    while at < len(data):
        size = 12 + int.from_bytes(data[at + 8 : at + 12])
        one = data[at : at + size]
        attributes = int.from_bytes(one[21:23])
        key = one[66:70] + one[71:77] if attributes & 0x20 else b""
        numbers = [(0, 8), (51, 53), (53, 57)]
        base, epoch, sequence = (
            int.from_bytes(one[start:stop], signed=True) for start, stop in numbers
        )
        yield base, attributes, epoch, sequence, key.hex()
        at += size


def pass_time(talker, milliseconds, until):
    """Let so much time pass (a real broker: until `until()` holds)."""
    if not isinstance(talker, Dialer):
        talker.now += milliseconds * MS
        talker.cluster.wake(talker.now)
        assert talker.cluster.take_failures() == []
        return
    end = time.monotonic() + LIMIT
    while not until() and time.monotonic() < end:
        pass


def begin(talker, script):
    """A producer for one script, on a topic of its own that both kinds of broker serve already."""
    one = Transactor(talker, f"id-{script}", script.replace("_", "-"))
    talker.create(one.topic, 2)
    until = time.monotonic() + LIMIT
    while -1 in one.ends(0) + one.ends(1):
        assert time.monotonic() < until, f"{one.topic} is not served"
    return one
