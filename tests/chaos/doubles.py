"""In place of brokers and workers: what remembers what was asked of it."""

import threading
from types import SimpleNamespace

from pytest_mqchaos.chaos.questions import Questions

STUBBORN = SimpleNamespace(kind="own", addresses=lambda: {1: ("h", 1)}, version="")


class Cluster:
    """Three nodes that remember what was done to them."""

    kind, version = "process", "4"

    def __init__(self, error=None, replicas=(2, 3, 1)):
        self.done = []
        self.replicas = replicas
        self.error = error
        self.called = threading.Event()

    def addresses(self):
        return {1: ("h", 1), 2: ("h", 2), 3: ("h", 3)}

    def start(self): ...

    def stop(self): ...

    def _do(self, *what):
        self.done.append(what)
        self.called.set()
        if self.error:
            raise self.error

    def kill(self, node):
        self._do("kill", node)

    def pause(self, node):
        self.done.append(("pause", node))

    def resume(self, node):
        self._do("resume", node)

    def restart(self, node):
        self._do("restart", node)

    def power_loss(self, node):
        self._do("power_loss", node)

    def leader(self, topic, partition):
        return self.replicas[0] if topic == "t" else None

    def followers(self, topic, partition):
        return self.replicas[1:]

    def coordinator(self, kind, key):
        return {("group", "g"): 3, ("transaction", "x"): 1}.get((kind, key))

    def move_leader(self, topic, partition, to=None):
        self._do("move_leader", topic, partition, to)
        return to or self.replicas[1]

    def move_coordinator(self, kind, key, to=None):
        return to

    def isolate(self, groups):
        self._do("isolate", groups)

    def reunite(self):
        self._do("reunite")

    def hold_replication(self, topic=None, partition=None, follower=None):
        self._do("hold", topic, partition)

    def release_replication(self):
        self._do("release")

    def heal(self):
        self.done.append(("heal",))
        self.called.set()


class Crew:
    def may_crash(self, owner, *, child_at=None):
        return None if owner == "worker-1#1" else f"{owner} is no worker"

    def crash(self, owner, cause, *, child_at=None):
        self.crashed = (owner, cause, child_at)


def questions(broker):
    troubles = []
    return Questions(crew=Crew(), broker=broker, trouble=troubles.append), troubles
