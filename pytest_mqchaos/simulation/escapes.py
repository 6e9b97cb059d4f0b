"""What code in a simulation may not do: reach for the real world without saying so.

It knows the functions of the standard library through which one gets out; it must never know what
is at the other end. Threads that were admitted live in the real world and may do there as they
like: virtual time stands still for them (admitted.py).
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from pytest_mqchaos.errors import EscapedSimulation
from pytest_mqchaos.simulation import clocks
from pytest_mqchaos.simulation.admitted import Admitted
from pytest_mqchaos.simulation.holders import Place
from pytest_mqchaos.simulation.whose import users_place

_admitted: Admitted = Admitted.nothing()
_escaped: list[EscapedSimulation] = []
_AS_ADDRESS = 'name it: simulate(..., real=["{0}"]). Virtual time stands still while it answers'
_AS_THREAD = (
    'run it by asyncio.to_thread and admit that: simulate(..., real=["to_thread"]); or test it '
    "over sockets"
)
NEVER = "do it before the simulation, or test it over sockets"


def enter(admitted: Admitted) -> list[EscapedSimulation]:
    """Begin to watch; gives the list of what tried to get out, which grows."""
    global _admitted, _escaped  # noqa: PLW0603 - there is one standard library
    _admitted = admitted
    _escaped = []
    return _escaped


def refuse(what: str, todo: str, depth: int = 1) -> NoReturn:
    """Raise, and remember for who swallows it. `depth`: frames between who did it and this call."""
    error = EscapedSimulation(
        f"{what} was called in a simulation, at {users_place(depth + 1)}: that is the real world, "
        f"with a clock of its own. To let it be, {todo}."
    )
    _escaped.append(error)
    raise error


def refuse_address(what: str, address: object, depth: int = 1) -> NoReturn:
    """The same for an address, which can be admitted."""
    shown = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
    refuse(f"{what}({shown})", _AS_ADDRESS.format(shown), depth + 1)


def _guard_address(name: str) -> tuple[Place, Any]:
    original = getattr(socket.socket, name)

    def guarded(self: socket.socket, *args: Any) -> Any:
        address = args[-1] if args else ""
        if clocks.behalf() is not None and not _admitted.address(address):
            refuse_address(f"socket.{name}", address)
        return original(self, *args)

    return Place(socket.socket, name), guarded


def _guard_lookup(name: str) -> tuple[Place, Any]:
    original = getattr(socket, name)

    def guarded(host: Any, *args: Any, **options: Any) -> Any:
        if clocks.behalf() is not None and not _admitted.host(host):
            refuse(f"socket.{name}({host!r})", _AS_ADDRESS.format(f"{host}:PORT"))
        return original(host, *args, **options)

    return Place(socket, name), guarded


def _guard_thread() -> tuple[Place, Any]:
    original = threading.Thread.start

    def start(self: threading.Thread) -> None:
        if clocks.behalf() is not None and not _admitted.thread(self):
            refuse(f"threading.Thread.start (of {self.name!r})", _AS_THREAD)
        original(self)

    return Place(threading.Thread, "start"), start


def _guard(owner: Any, name: str, shown: str) -> tuple[Place, Any]:
    original: Callable[..., Any] = getattr(owner, name)

    def guarded(*args: Any, **options: Any) -> Any:
        if clocks.behalf() is not None:
            refuse(shown, NEVER)
        return original(*args, **options)

    return Place(owner, name), guarded


GUARDS: tuple[tuple[Place, Any], ...] = (
    _guard_address("connect"),
    _guard_address("connect_ex"),
    _guard_address("bind"),
    _guard_address("sendto"),
    _guard_lookup("getaddrinfo"),
    _guard_lookup("gethostbyname"),
    _guard_thread(),
    _guard(subprocess.Popen, "__init__", "subprocess.Popen"),
    *(
        _guard(os, name, f"os.{name}")
        for name in ("fork", "posix_spawn", "system")
        if hasattr(os, name)
    ),
)
"""Where each guard stands while a simulation runs."""
