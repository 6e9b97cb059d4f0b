"""What may be done to the embedded brokers, by name: JSON in, JSON out.

It knows the calls of a cluster and puts each deed on record; it must never know why it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_mqchaos.errors import UsageError, unknown

if TYPE_CHECKING:
    from pytest_mqchaos.dataplane.parts import Cluster

Body = Mapping[str, Any]
Deed = Callable[["Cluster", Body, int], Any]


def do(cluster: Cluster | None, body: Body, now: int) -> dict[str, Any]:
    """Do it and answer what is asked. Raises `UsageError` where there is no embedded cluster, no
    such deed, or the cluster refuses it."""
    if cluster is None:
        raise UsageError("there is no embedded cluster here whose brokers anything could befall")
    name = str(body["deed"])
    if name not in _DEEDS:
        raise unknown("deed", name, _DEEDS)
    return _DEEDS[name](cluster, body, now) or {}


def _on_node(name: str) -> Deed:
    return lambda cluster, body, now: getattr(cluster, name)(int(body["node"]), now)


def _end(name: str) -> Deed:
    """A node that is dead already stays so: two rules may mean the same one."""

    def end(cluster: Cluster, body: Body, now: int) -> None:
        if cluster.alive(int(body["node"])):
            getattr(cluster, name)(int(body["node"]), now)

    return end


def _restart(cluster: Cluster, body: Body, now: int) -> None:
    if cluster.alive(int(body["node"])):
        cluster.kill(int(body["node"]), now)
    cluster.restart(int(body["node"]), now)


def _on_all(name: str) -> Deed:
    return lambda cluster, _, now: getattr(cluster, name)(now)


def _leader(cluster: Cluster, body: Body, now: int) -> dict[str, Any]:
    del now
    return {"node": cluster.leader(body["topic"], body["partition"])}


def _followers(cluster: Cluster, body: Body, now: int) -> dict[str, Any]:
    del now
    return {"nodes": list(cluster.followers(body["topic"], body["partition"]))}


def _coordinator(cluster: Cluster, body: Body, now: int) -> dict[str, Any]:
    del now
    return {"node": cluster.coordinator(body["kind"], body["key"])}


def _isolate(cluster: Cluster, body: Body, now: int) -> None:
    cluster.isolate([frozenset(group) for group in body["groups"]], now)


def _move_leader(cluster: Cluster, body: Body, now: int) -> dict[str, Any]:
    return {"node": cluster.move_leader(body["topic"], body["partition"], body.get("to"), now)}


def _move_coordinator(cluster: Cluster, body: Body, now: int) -> dict[str, Any]:
    return {"node": cluster.move_coordinator(body["kind"], body["key"], body.get("to"), now)}


def _hold(cluster: Cluster, body: Body, now: int) -> None:
    cluster.hold_replication(body.get("topic"), body.get("partition"), body.get("follower"), now)


_DEEDS: dict[str, Deed] = {
    **{name: _on_node(name) for name in ("pause", "resume")},
    **{name: _end(name) for name in ("kill", "power_loss")},
    "restart": _restart,
    **{name: _on_all(name) for name in ("reunite", "release_replication", "heal")},
    "leader": _leader,
    "followers": _followers,
    "coordinator": _coordinator,
    "isolate": _isolate,
    "move_leader": _move_leader,
    "move_coordinator": _move_coordinator,
    "hold_replication": _hold,
}
