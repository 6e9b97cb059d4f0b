"""Errors of commands as data: what a data plane answers, and what who asked then raises.

error --told--> {"error": its text, "kind": a name} --raised--> error
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_mqchaos.errors import Impossible, MqchaosError, UsageError

_KINDS: tuple[type[MqchaosError], ...] = (Impossible, UsageError)  # the narrower first


def told(kind: type[BaseException], text: str) -> dict[str, Any]:
    """How an error of this kind is answered."""
    name = next((one.__name__ for one in _KINDS if issubclass(kind, one)), MqchaosError.__name__)
    return {"error": text, "kind": name}


def raised(answer: Mapping[str, Any]) -> MqchaosError:
    """The error that such an answer tells of."""
    kinds = {one.__name__: one for one in _KINDS}
    return kinds.get(answer["kind"], MqchaosError)(answer["error"])
