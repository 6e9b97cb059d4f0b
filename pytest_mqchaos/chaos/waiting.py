"""Sync first, and a twin for each waiting method: which loop is running decides which to call."""

from __future__ import annotations

import asyncio

from pytest_mqchaos.errors import UsageError


def off_loop(method: str) -> None:
    """Raise at once when a waiting method is called on a running loop: it would stop that loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError(
        f"chaos.{method}() waits, and a loop is running in this thread: "
        f"write `await chaos.{method}_async(...)`"
    )
