"""What services keep outside of themselves: a crash takes the worker, not its database."""

import asyncio
from itertools import count

LEASE = 5.0  # seconds after which a claim of who died is anybody's


class Books:
    """A database. Entries are effects; `done` is the table of ids that were worked on. Two lines
    without an `await` between them are one transaction."""

    def __init__(self, effects):
        self.effects = effects
        self.done = set()
        self.claims = {}
        self._tokens = count(1)

    def enter(self, name):
        """The entry and the note that it was made, in one transaction; a known one is left out."""
        if name not in self.done:
            self.effects.record(name)
            self.done.add(name)

    def mark(self, name):
        """SETNX: whether it was not marked before."""
        if name in self.done:
            return False
        self.done.add(name)
        return True

    async def claim(self, name):
        """SET NX PX: a token for who may work on it now, None for what is done. It waits for
        another's claim to end or to run out."""
        now = asyncio.get_running_loop().time
        while name not in self.done:
            _, end = self.claims.get(name, (None, 0.0))
            if now() >= end:
                token = next(self._tokens)
                self.claims[name] = token, now() + LEASE
                return token
            await asyncio.sleep(end - now())
        return None

    def settle(self, name, token):
        """Enter it, if the claim is still this one's."""
        if self.claims[name][0] == token:
            self.enter(name)
