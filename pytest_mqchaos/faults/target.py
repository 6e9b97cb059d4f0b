"""Which broker a process fault means. It knows roles, no protocol and no broker."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pytest_mqchaos.errors import UsageError, unknown

Role: TypeAlias = Literal["leader", "follower", "coordinator", "all"]
Target: TypeAlias = Role | int
ROLES: tuple[Role, ...] = ("leader", "follower", "coordinator", "all")


def target(verb: str, given: object) -> None:
    """Refuse what is neither a role nor a node's index (0 or more). "leader", "follower" and
    "coordinator" are those of the partition, queue or group of the frame that set the rule off."""
    if isinstance(given, str):
        if given not in ROLES:
            todo = "Or give a node's index, 0 or more."
            raise unknown(f"target of .{verb}()", given, ROLES, todo)
    elif not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise UsageError(
            f".{verb}(target={given!r}): a target is one of {', '.join(map(repr, ROLES))} "
            "or a node's index, 0 or more."
        )
