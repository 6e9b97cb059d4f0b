"""Randomness in a simulation: seeded, and given back as it was.

It knows `random` and the system's source of random bytes, which `uuid4` and `secrets` draw from;
it must never know who draws what for.
"""

from __future__ import annotations

import os
import random
from typing import Any

from pytest_mqchaos.simulation import clocks

_source = random.Random(0)  # of "the system's" bytes while a simulation runs
_seed_of = random.Random.seed
_seed = random.seed
_urandom = os.urandom


def enter(seed: int) -> Any:
    """Seed everything; gives what `leave` wants back."""
    state = random.getstate()
    _seed(seed)
    _seed_of(_source, seed ^ 0x5EED)
    return state


def leave(state: Any) -> None:
    """Let the global generator go on where it was."""
    random.setstate(state)


def urandom(size: int, /) -> bytes:
    """As `os.urandom`; in a simulation, drawn from its seed."""
    return _urandom(size) if clocks.behalf() is None else _source.randbytes(size)


def seed(a: Any = None, version: int = 2) -> None:
    """As `random.seed`; in a simulation, "from the system" means from its seed."""
    if a is None and clocks.behalf() is not None:
        a = _source.getrandbits(64)
    _seed(a, version)


def seed_of(self: random.Random, a: Any = None, version: int = 2) -> None:
    """As `random.Random.seed`: see `seed`."""
    if a is None and clocks.behalf() is not None:
        a = _source.getrandbits(64)
    _seed_of(self, a, version)
