"""What a report is told besides verdict and history: who ran what, and what may be shown.

It knows names and texts only; whoever fills it knows the plugin, the broker and the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

Payloads: TypeAlias = Literal["show", "hash"]

SECRETS = (
    "password",
    "passwd",
    "token",
    "secret",
    "sasl",
    "credential",
    "api_key",
    "authorization",
)


class LogLine(NamedTuple):
    """One line of a worker's own output; `t` is CLOCK_MONOTONIC ns, `who` the incarnation."""

    t: int
    who: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything around a verdict. Empty fields are left out of the text.

    `plan_source` is shown where the history names no rules; `broker` is kind and version, `clients`
    name and version each; `replay` is the line to paste, `rate` how often it reproduced ("9/10").
    `guarantees` and `consequences` are by rule index: what still held, and what a fault that took
    effect did not lead to ("no copy: ..."). `payloads="hash"` shows a digest in place of keys and
    values; `secrets` are the names (parts of header, field and option names) whose values are never
    shown.
    `error_name` says what the protocol calls an error code.
    """

    plan_source: str = ""
    seed: int | str | None = None
    broker: str = ""
    clients: tuple[str, ...] = ()
    replay: str = ""
    rate: str = ""
    logs: tuple[LogLine, ...] = ()
    payloads: Payloads = "show"
    guarantees: Mapping[int, str] = field(default_factory=dict)
    consequences: Mapping[int, str] = field(default_factory=dict)
    history_file: str = ""
    secrets: tuple[str, ...] = SECRETS
    error_name: Callable[[int], str] | None = None

    def error(self, code: int) -> str:
        """`error 25 (UNKNOWN_MEMBER_ID)`, or the code alone where nobody knows its name."""
        return f"error {code} ({self.error_name(code)})" if self.error_name else f"error {code}"
