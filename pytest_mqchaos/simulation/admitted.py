"""Which real I/O a simulation admits: what `real=[...]` names.

It knows addresses and the three names of threads; it must never do any I/O.

    "localhost:5432"   connections to that address are real sockets
    "aiosqlite"        the thread of each of its connections
    "to_thread"        asyncio.to_thread and loop.run_in_executor
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.simulation.network import canonical

NAMES = ("aiosqlite", "to_thread")


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Addresses (host, port) and names. Names of loopback are one host."""

    addresses: frozenset[tuple[str, int]]
    names: frozenset[str]

    @classmethod
    def nothing(cls) -> Admitted:
        """Admit nothing."""
        return cls(addresses=frozenset(), names=frozenset())

    @classmethod
    def read(cls, real: Iterable[str]) -> Admitted:
        """Read what a test wrote. Raises `UsageError` for what is neither an address nor a name."""
        if isinstance(real, str):
            raise UsageError(f'real={real!r} is one text; give a list of them: real=["{real}"].')
        addresses, names = set(), set()
        for entry in real:
            host, colon, port = entry.rpartition(":")
            if colon and port.isdigit() and host:
                addresses.add((canonical(host.strip("[]")), int(port)))
            elif entry in NAMES:
                names.add(entry)
            else:
                raise unknown("real I/O", entry, NAMES, 'Or an address, as "localhost:5432".')
        return cls(addresses=frozenset(addresses), names=frozenset(names))

    def address(self, address: object) -> bool:
        """True for a (host, port) that is admitted."""
        if not isinstance(address, tuple) or len(address) < 2:  # noqa: PLR2004 - (host, port, ...)
            return False
        host, port = address[:2]
        return (canonical(str(host)), port) in self.addresses

    def host(self, host: object) -> bool:
        """True for a host of which some port is admitted."""
        name = canonical(host.decode() if isinstance(host, bytes) else str(host or ""))
        return any(name == admitted for admitted, _ in self.addresses)

    def thread(self, thread: threading.Thread) -> bool:
        """True for a thread that is admitted to start: aiosqlite's."""
        target = getattr(thread, "_target", None)
        where = {type(thread).__module__, getattr(target, "__module__", "")}
        return "aiosqlite" in self.names and any(
            (module or "").partition(".")[0] == "aiosqlite" for module in where
        )
