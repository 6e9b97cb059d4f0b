"""`[tool.mqchaos]` in pyproject.toml: what may stand there, checked where the user wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pytest_mqchaos.errors import UsageError, unknown

LAST_PORT = 65535
SEVERAL = 3  # nodes of a cluster where one is too few
MOST = 9  # nodes: more behave no different


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings with their defaults.

    `broker`: embedded or process. `nodes`: how many of them, 1 to 9. `listen`: "127.0.0.1:PORT" for
    fixed default links (of the first node), else any free port. `settle_timeout`,
    `effect_timeout`, `start_timeout`: seconds, counted from the last progress. `payloads`: show or
    hash. `replays`: how many failures of a session are replayed once to see that their line
    reproduces them. `profiles`: the user's own, by name.
    """

    broker: str | None = None
    nodes: int = 1
    listen: str | None = None
    settle_timeout: float = 15.0
    effect_timeout: float = 2.0
    start_timeout: float = 20.0
    payloads: str = "show"
    replays: int = 2
    profiles: Mapping[str, Any] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """The fixed port of the default links, 0 for any."""
        return int(self.listen.rpartition(":")[2]) if self.listen else 0


_SECONDS = ("settle_timeout", "effect_timeout", "start_timeout")
_WORDS = {"payloads": ("show", "hash"), "broker": ("embedded", "process")}


def size(given: object, place: str = "") -> int:
    """A number of nodes. Raises UsageError, naming its `place`, for what cannot be one."""
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= MOST:
        return given
    raise UsageError(f"{place or f'nodes={given!r}'}: must be a whole number from 1 to {MOST}")


def load(table: Mapping[str, Any]) -> Config:
    """Check a `[tool.mqchaos]` table. Raises `UsageError` naming key, value and what is allowed."""
    allowed = [item.name for item in fields(Config)]
    for key, value in table.items():
        place = f"[tool.mqchaos] {key} = {value!r}"
        if key not in allowed:
            raise unknown("key in [tool.mqchaos]", key, allowed)
        if key in _SECONDS and (
            not isinstance(value, int | float) or isinstance(value, bool) or value <= 0
        ):
            raise UsageError(f"{place}: must be a number of seconds above 0, such as 15.0")
        if key in _WORDS and value not in _WORDS[key]:
            raise unknown(f"value of [tool.mqchaos] {key}", value, _WORDS[key])
        if key == "nodes":
            size(value, place)
        if key == "replays" and (
            not isinstance(value, int) or isinstance(value, bool) or value < 0
        ):
            raise UsageError(f"{place}: must be a whole number of 0 or more")
        if key == "listen" and not _address(value):
            raise UsageError(f'{place}: must be "127.0.0.1:PORT" (loopback only)')
        if key == "profiles" and not isinstance(value, Mapping):
            raise UsageError(f"{place}: must be a table of name = rule(s)")
    return Config(**table)


def _address(value: object) -> bool:
    if not isinstance(value, str):
        return False
    host, _, port = value.rpartition(":")
    own = host in ("127.0.0.1", "localhost")
    return own and port.isdecimal() and 0 < int(port) <= LAST_PORT
