"""Three brokers in a test's hands: deeds, time, and what each of them tells."""

from __future__ import annotations

from tests.kafka_cluster.talking import MS, Talker, cluster

SESSION = 500 * MS  # broker.session.timeout.ms


class Three:
    """Three brokers with one topic `t` of three replicas, and a connection to each."""

    def __init__(self, *, insync: int = 2, unclean: bool = False, **settings: object) -> None:
        self.brokers = cluster(3, **settings)
        self.now = 0
        configs = {"min_insync_replicas": str(insync)}
        if unclean:
            configs["unclean_leader_election_enable"] = "true"
        Talker(self.brokers).create("t", replicas=3, **configs)

    @property
    def partition(self):
        return self.brokers.state.topics.partition("t", 0)

    def to(self, node: int) -> Talker:
        talker = Talker(self.brokers, node)
        talker.now = self.now
        return talker

    def leader(self) -> Talker:
        return self.to(self.brokers.leader("t", 0))

    def later(self, passed: int) -> None:
        """Let time pass, waking the cluster whenever it wants."""
        until = self.now + passed
        while (due := self.brokers.next_wake()) is not None and due <= until:
            self.now = max(due, self.now)
            self.brokers.wake(self.now)
        self.now = until
        assert self.brokers.take_failures() == []

    def do(self, deed: str, *given: object) -> object:
        return getattr(self.brokers, deed)(*given, self.now)

    def ends(self) -> dict[int, int]:
        return {node: copy.log.end for node, copy in self.partition.copies.items()}

    def view(self, node: int, version: int = 9):
        """(error, leader, epoch, in sync, offline) as a node tells."""
        answer = self.to(node).ask(3, version, topics=[{"name": "t"}])
        one = answer.topics[0].partitions[0]
        in_sync, gone = one.isr_nodes, one.offline_replicas
        return one.error_code, one.leader_id, one.leader_epoch, in_sync, gone
