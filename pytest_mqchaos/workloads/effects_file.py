"""Effects told through a file, so that a process in any language can tell them.

One JSON object a line, each written by one append: {"id" | "ids", "part", "by", "key", "value",
"t"}, and {"id", "attempt": true, "t"} where a handler starts. MQCHAOS_EFFECTS names the file.
It knows what a line may say, nothing of what is concluded from it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_mqchaos.errors import PeerError, UsageError, unknown
from pytest_mqchaos.history.identity import as_id
from pytest_mqchaos.workloads.incarnation import current_incarnation

ENVIRONMENT = "MQCHAOS_EFFECTS"
_COLUMNS = frozenset({"id", "ids", "part", "by", "key", "value", "t", "attempt", "owner"})


def record_effect(
    id: str | None = None,
    *,
    ids: Sequence[str] | None = None,
    part: str | None = None,
    by: str | None = None,
    key: str | None = None,
    value: object = None,
) -> None:
    """Tell from a worker's process that the work on message `id` (or on all of `ids`) is done.

    `part` names one of several effects of a message, `by` the subscriber, `value` is anything that
    JSON can hold. Call it when the effect cannot be lost any more (after the commit). Raises
    `UsageError` outside of a process that `chaos.worker` started.
    """
    wrong = misgiven(id, ids, "record_effect()")
    if wrong:
        raise UsageError(wrong)
    line: dict[str, object] = (
        {"id": as_id(id)} if ids is None else {"ids": [as_id(one) for one in ids]}
    )
    given = {"part": part, "by": by, "key": key}
    line |= {name: as_id(what) for name, what in given.items() if what is not None}
    _append(line if value is None else line | {"value": value})


def record_attempt(id: str) -> None:
    """Tell from a worker's process that a handler starts on message `id`."""
    _append({"id": as_id(id), "attempt": True})


def misgiven(id: object, ids: object, what: str) -> str:
    """What is wrong with the ids of an effect, as a sentence; "" for nothing."""
    if (id is None) == (ids is None):
        return f"{what} takes an id, or ids=[...] for several messages, one of them: {id=}, {ids=}"
    if isinstance(id, list | tuple | set | dict):
        return f"{what} takes the id of one message, not {id!r:.80}; several are ids=[...]"
    if isinstance(ids, str | bytes):
        return f"{what}: ids={ids!r:.80} is one id, and a list of ids is wanted: put it in brackets"
    return ""


def read(path: Path) -> Iterator[Mapping[str, Any]]:
    """Give the lines as mappings, in order; a last line without its end is not there yet.

    Raises `PeerError` naming the line and what is wrong with it.
    """
    if not path.exists():
        return
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    for number, raw in enumerate(whole.split(b"\n"), start=1):
        if raw.strip():
            yield _checked(raw, f"{path.name}, line {number}")


def _checked(raw: bytes, where: str) -> Mapping[str, Any]:
    try:
        line = json.loads(raw)
    except ValueError as error:
        raise PeerError(f"{where} is not JSON ({error}): {raw[:200]!r}") from error
    if not isinstance(line, dict) or ("id" in line) == ("ids" in line):
        raise PeerError(f'{where} needs an "id" or "ids", one of them: {raw[:200]!r}')
    for name in line.keys() - _COLUMNS:
        raise PeerError(f"{where}: {unknown('column', name, _COLUMNS)}")
    return line


def _append(line: dict[str, object]) -> None:
    path = os.environ.get(ENVIRONMENT)
    if not path:
        raise UsageError(
            f"{ENVIRONMENT} is not set, so there is no file to record effects in. It is set in "
            "processes that chaos.worker starts; inside the test process use chaos.effects.record."
        )
    owner = current_incarnation()
    stamped = line | {"t": time.monotonic_ns()} | ({"owner": owner} if owner else {})
    try:
        data = json.dumps(stamped, separators=(",", ":")).encode() + b"\n"
    except TypeError as error:
        raise UsageError(f"an effect must be something that JSON can hold: {error}") from error
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        written = os.write(file, data)  # one write: lines of several processes do not mix
    finally:
        os.close(file)
    if written != len(data):
        raise OSError(f"only {written} of {len(data)} bytes of an effect fitted into {path}")
