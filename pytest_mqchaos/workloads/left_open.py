"""Connections that an incarnation leaves open when it is over: with a process they would end.

It knows asyncio's transports and the ports that are one incarnation's alone; it must never know who
listens there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any


def abort(loop: asyncio.AbstractEventLoop, ports: Collection[int] | None = None) -> None:
    """Break off what is open to these ports (None: to any). The garbage collector would find it,
    perhaps in the middle of another test, and would say so there."""
    for transport in _transports(loop):
        peer = transport.get_extra_info("peername")
        if ports is None or (isinstance(peer, tuple) and peer[1] in ports):
            transport.abort()


async def close(loop: asyncio.AbstractEventLoop, ports: Collection[int] | None = None) -> None:
    """`abort`, and wait until clients have heard of it."""
    abort(loop, ports)
    await asyncio.sleep(0)  # they end in the loop's next turn


def _transports(loop: asyncio.AbstractEventLoop) -> list[Any]:
    """Those of a selector loop, and those of a loop with a network in memory. Of other loops none
    is known."""
    network = getattr(loop, "network", None)
    virtual = network.connections() if network is not None else []
    return [*getattr(loop, "_transports", {}).values(), *virtual]
