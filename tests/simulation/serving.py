"""The embedded cluster on a simulation's network, with nothing in between; and what was said."""

import hashlib

from pytest_mqchaos.kafka_cluster.cluster import Cluster


class Peer:
    """One connection of a client."""

    def __init__(self, served, wire, node):
        self.served, self.wire = served, wire
        self.number = served.cluster.connect(node, served.loop.now)
        served.wires[self.number] = wire

    def received(self, data):
        self.served.log(b">", data)
        self.served.cluster.receive(self.number, data, self.served.loop.now)
        self.served.pump()

    def ended(self):
        self.lost()
        self.wire.close()

    def lost(self):
        self.served.wires.pop(self.number, None)
        self.served.cluster.disconnect(self.number, self.served.loop.now)
        self.served.pump()


class Served:
    """A cluster of some brokers; `digest` is of every byte of both directions, with its time."""

    def __init__(self, loop, brokers=1, settings=None):
        self.loop, self.wires, self.timer = loop, {}, None
        self.said, self.answering = hashlib.sha256(), True
        ports = {node: loop.network.listen(self.accepting(node)) for node in range(1, brokers + 1)}
        self.bootstrap = f"127.0.0.1:{ports[1]}"
        self.cluster = Cluster(
            brokers=brokers,
            addresses={node: ("127.0.0.1", port) for node, port in ports.items()},
            settings=settings,
        )

    def accepting(self, node):
        return lambda wire: Peer(self, wire, node)

    def log(self, mark, data):
        self.said.update(b"%d%b%d " % (self.loop.now, mark, len(data)) + data)

    @property
    def digest(self):
        return self.said.hexdigest()

    def pump(self):
        for number, data in self.cluster.take_output():
            if number in self.wires and self.answering:
                self.log(b"<", data)
                self.wires[number].send(data)
        for number in self.cluster.take_closed():
            if number in self.wires:
                self.wires.pop(number).close()
        assert self.cluster.take_failures() == []
        if self.timer is not None:
            self.timer.cancel()
        due = self.cluster.next_wake()
        self.timer = None if due is None else self.loop.at(due, self.wake)

    def wake(self):
        self.timer = None
        self.cluster.wake(self.loop.now)
        self.pump()
