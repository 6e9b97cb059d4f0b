"""What a broker does by itself with its logs: retention and compaction, on timers of its own.

It knows which topics ask for it: those that say so in their own configs. The defaults (seven days)
are shown and nothing expires by them, so that a cluster nobody asked has no timer. It must never
know a request.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_mqchaos.kafka_cluster.logs.compaction import compact, records
from pytest_mqchaos.kafka_cluster.logs.retention import Limits, first_kept
from pytest_mqchaos.kafka_cluster.logs.segments import Segment, segments
from pytest_mqchaos.kafka_cluster.replicas.leader import Leader
from pytest_mqchaos.kafka_cluster.replicas.replica import Replica
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND, Timer, Timers
from pytest_mqchaos.kafka_cluster.topic_configs import items
from pytest_mqchaos.kafka_cluster.topics import Topic, Topics
from pytest_mqchaos.wire.kafka.compression import Unreadable


class Housekeeping:
    """Of one cluster. Each replica that follows does what its leader does, at the same instant."""

    def __init__(self, topics: Topics, timers: Timers, settings: Settings) -> None:
        self._topics = topics
        self._timers = timers
        self._settings = settings
        self._expiring: Timer | None = None
        self._cleaning: Timer | None = None
        self._seen: dict[tuple[Replica, int], int] = {}  # tombstones: when they were first cleaned

    def look(self, now: int) -> None:
        """Begin with what the topics' configs ask for, if it has not begun yet."""
        topics = self._topics.all()
        if self._expiring is None and any(self._limits(topic) != Limits() for topic in topics):
            interval = self._settings.log_retention_check_interval_ms * MILLISECOND
            self._expiring = self._timers.at(now + interval, self._expire)
        if self._cleaning is None and any(self._compacts(topic) for topic in topics):
            backoff = self._settings.log_cleaner_backoff_ms * MILLISECOND
            self._cleaning = self._timers.at(now + backoff, self._clean)

    def _expire(self, now: int) -> None:
        self._expiring = None
        for topic in self._topics.all():
            limits = self._limits(topic)
            if limits != Limits():
                for leader in _led(topic):
                    self._expire_one(topic, leader, limits, now)
        self.look(now)

    def _expire_one(self, topic: Topic, leader: Leader, limits: Limits, now: int) -> None:
        cut = self._cut(topic, leader.replica)
        start = first_kept(cut, limits, leader.high_watermark, now)
        if start is not None and start > leader.log.start:
            leader.delete_before(start, now)

    def _clean(self, now: int) -> None:
        self._cleaning = None
        for topic in self._topics.all():
            if self._compacts(topic):
                for leader in _led(topic):
                    for replica in (leader.replica, *leader.following):
                        self._clean_one(topic, replica, now)
        self.look(now)

    def _clean_one(self, topic: Topic, replica: Replica, now: int) -> None:
        cut = self._cut(topic, replica)
        if len(cut) > 1:
            before = min(cut[-1].base, replica.last_stable)
            due = self._due(topic, replica, now)
            try:
                compact(replica.log, replica.transactions, before=before, due=due)
                self._remember(replica, before, now)
            except Unreadable:
                return  # records that nobody can unpack: Kafka's cleaner leaves such a log too

    def _due(self, topic: Topic, replica: Replica, now: int) -> Callable[[int], bool]:
        """A tombstone stays so long after the first cleaning that found it (KIP-534)."""
        patience = int(self._topics.config(topic.name, "delete.retention.ms")) * MILLISECOND
        return lambda offset: now - self._seen.get((replica, offset), now) > patience

    def _remember(self, replica: Replica, before: int, now: int) -> None:
        old = {at: when for (one, at), when in self._seen.items() if one is replica}
        for at in old:
            del self._seen[replica, at]
        for batch in replica.log.batches(replica.log.start):
            if batch.last < before and not batch.control:
                tombstones = (row.offset for row in records(batch) if row.tombstone)
                self._seen.update({(replica, at): old.get(at, now) for at in tombstones})

    def _cut(self, topic: Topic, replica: Replica) -> list[Segment]:
        limit = int(self._topics.config(topic.name, "segment.bytes"))
        span = int(self._topics.config(topic.name, "segment.ms")) * MILLISECOND
        return segments(replica.log, limit=limit, span=span)

    def _limits(self, topic: Topic) -> Limits:
        policy = self._topics.config(topic.name, "cleanup.policy")
        if "delete" not in items(policy):
            return Limits()
        age = int(topic.configs.get("retention.ms", -1))
        size = int(topic.configs.get("retention.bytes", -1))
        return Limits(None if age < 0 else age * MILLISECOND, None if size < 0 else size)

    def _compacts(self, topic: Topic) -> bool:
        return "compact" in items(self._topics.config(topic.name, "cleanup.policy"))


def _led(topic: Topic) -> list[Leader]:
    leaders = (partition.lead() for partition in topic.partitions)
    return [leader for leader in leaders if leader is not None]
