"""What the controller can ask of the shell itself; everything else is the engine's.

It knows names and arguments; it must never know how lines travel or bytes flow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pytest_mqchaos.dataplane import deeds, failures
from pytest_mqchaos.dataplane.parts import load
from pytest_mqchaos.dataplane.traffic import DIRECT
from pytest_mqchaos.errors import UsageError

if TYPE_CHECKING:
    from pytest_mqchaos.dataplane.parts import Engine
    from pytest_mqchaos.dataplane.traffic import Traffic
    from pytest_mqchaos.dataplane.upstreams import Upstreams

Body = Mapping[str, Any]


class Record(Protocol):
    """Where the history goes; see `dataplane.recorder.Recorder`."""

    def open(self, path: str) -> None: ...

    def flush(self) -> int: ...

    def close(self) -> None: ...


class Places(Protocol):
    """Who listens where; see `dataplane.listeners.Listeners`."""

    def address(self, owner: str, node: int, port: int = 0) -> tuple[str, int]: ...

    def close(self, owner: str | None = None) -> None: ...


class Shell(Protocol):
    """What a command may use of the shell that runs it."""

    parts: Mapping[str, str]
    traffic: Traffic
    told: set[str]

    @property
    def recorder(self) -> Record: ...

    @property
    def listeners(self) -> Places: ...

    @property
    def upstreams(self) -> Upstreams: ...

    @property
    def clock(self) -> Callable[[], int]: ...

    def engine(self) -> Engine: ...

    def stop(self) -> None: ...


def run(shell: Shell, body: Body) -> dict[str, Any]:
    """Carry out one command; gives the JSON line that answers it. Never raises: a bad command is
    answered with what was wrong about it."""
    number = body.get("id")
    try:
        do = body["do"]
        handler = _HANDLERS.get(do)
        answer = handler(shell, body) if handler is not None else _engine(shell, body)
    except UsageError as error:
        return {"id": number, **failures.told(type(error), str(error))}
    except KeyError as error:
        text = f"the command {body.get('do')!r} needs {error}; given were {sorted(body)}"
        return {"id": number, **failures.told(UsageError, text)}
    except Exception as error:  # noqa: BLE001 - told to who asked; the links go on
        text = f"{type(error).__name__}: {error}"
        return {"id": number, **failures.told(type(error), text)}
    return {"id": number, "ok": answer or {}, "history": shell.recorder.flush()}


def _engine(shell: Shell, body: Body) -> Any:
    engine = shell.engine()
    return load(shell.parts["command"])(engine, body["do"], body, shell.clock())


def _begin(shell: Shell, body: Body) -> Any:
    shell.told.clear()  # what befell the run before may befall this one too
    path = body.get("history")
    if path is None:
        shell.recorder.close()
    else:
        try:
            shell.recorder.open(path)
        except OSError as error:
            raise UsageError(f"the history {path!r} cannot be written: {error}") from error
    return _engine(shell, body)


def _end(shell: Shell, body: Body) -> Any:
    return _engine(shell, body)


def _cluster(shell: Shell, body: Body) -> Any:
    brokers = int(body.get("brokers", 1))
    make = load(shell.parts["cluster"])
    shell.traffic.unplug()
    shell.listeners.close(DIRECT)
    nodes = range(1, brokers + 1)
    addresses = {node: shell.listeners.address(DIRECT, node) for node in nodes}
    try:
        cluster = make(
            brokers=brokers,
            addresses=addresses,
            settings=body.get("settings", {}),
            seed=int(body.get("seed", 0)),
        )
    except BaseException:
        shell.listeners.close(DIRECT)
        raise
    shell.upstreams.embed(cluster, frozenset(nodes))
    return {"addresses": {str(node): list(address) for node, address in addresses.items()}}


def _fault(shell: Shell, body: Body) -> Any:
    """Something befalls an embedded broker. Connections that it took with it end in this turn."""
    now = shell.clock()
    done = deeds.do(shell.upstreams.cluster, body, now)
    shell.traffic.serve(now)
    return done


def _upstream(shell: Shell, body: Body) -> Any:
    shell.upstreams.put(int(body["node"]), str(body["host"]), int(body["port"]))


def _listen(shell: Shell, body: Body) -> Any:
    owner = str(body["owner"])
    if owner == DIRECT:
        raise UsageError("an owner needs a name; the empty one is the direct listener's")
    address = shell.listeners.address(owner, int(body["node"]), int(body.get("port", 0)))
    return {"address": list(address)}


def _unlisten(shell: Shell, body: Body) -> Any:
    owner = str(body["owner"])
    shell.listeners.close(owner)
    return {"links": shell.traffic.close(owner)}


def _flush(shell: Shell, body: Body) -> Any:
    """Every answer carries the history's length: nothing else is to be done."""


def _stop(shell: Shell, body: Body) -> Any:
    del body
    shell.stop()


_HANDLERS: dict[str, Callable[[Shell, Body], Any]] = {
    "begin": _begin,
    "end": _end,
    "cluster": _cluster,
    "fault": _fault,
    "upstream": _upstream,
    "listen": _listen,
    "unlisten": _unlisten,
    "flush": _flush,
    "stop": _stop,
}
