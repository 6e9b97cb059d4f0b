"""Plan tokens (`mq1.`) as somebody pasted them, and plans as text.

Held: a `UsageError` or a plan; a plan says itself: its token and its source make it again.
"""

from __future__ import annotations

import base64
import json
import zlib
from random import Random
from typing import Any

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.plan.token import PREFIX
from pytest_mqchaos.plan.when import where as when

WHAT = "plan tokens"
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 10**30, 1.5, -0.0, "", "x", "orders", [], {}, [1, 2],
    "drop",
    {"range": [0, 10, 2]}, {"range": [0, 10, 0]}, {"every": 2}, {"every": 0}, {"bytes": "AA=="},
    {"bytes": "?"}, {"test": ["value_contains", {"bytes": "AA=="}]}, {"test": []}, {"any": [1, 2]},
    {"not": {"not": {"test": ["key_is", "k"]}}}, {"all": []}, "confirm", "leader", "header:x",
)  # fmt: skip
_NAMES = (
    "on", "where", "fault", "with", "optional", "forge", "nth", "topic", "attempt", "when", "api",
    "seconds", "window", "error", "group", "rules", "seed", "key", "partition", "owner", "for_",
)  # fmt: skip


def seeds() -> list[bytes]:
    """Tokens and sources of real plans."""
    plans = [
        Plan(),
        Plan(on.confirm(nth=2).drop(), seed=3),
        Plan(on.publish(topic="orders", nth=range(1, 9, 2)).reorder(2), on.ack(nth=1).redeliver()),
        Plan(on.deliver(when=when.value_contains(b"x"), nth=None).delay(0.5, optional=True)),
        Plan(on.control(api="Metadata", nth=1).refuse("NOT_COORDINATOR")),
    ]
    texts = [plan.token for plan in plans] + [repr(plan) for plan in plans]
    return [text.encode() for text in texts]


def mutate(data: bytes, size: int, dice: Random) -> bytes:
    """Change the plan inside the token, or the JSON's text."""
    try:
        packed = data.decode().removeprefix(PREFIX)
        text = zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))).decode()
        plain = json.loads(text)
    except (ValueError, zlib.error, RecursionError):
        return bytes(_text(bytearray(data), dice))[:size]
    for _ in range(dice.choice((1, 1, 2, 4))):
        plain = _changed(plain, dice)
    text = json.dumps(plain)
    if dice.random() < 0.1:
        text = dice.choice(("[" * 5000, '{"rules":' * 3000, text[:-1], text + " 1"))
    body = zlib.compress(text.encode())
    return (PREFIX + base64.urlsafe_b64encode(body).decode().rstrip("=")).encode()[:size]


def _text(data: bytearray, dice: Random) -> bytearray:
    for _ in range(dice.choice((1, 2, 4))):
        at = dice.randrange(len(data) + 1)
        word = dice.choice(
            (b"(", b")", b"on.", b"nth=", b"-", b"'", b"mq1.", b"mq9.", b"{", b"1e999")
        )
        if dice.random() < 0.5:
            data[at:at] = word
        else:
            del data[at : at + dice.choice((1, 3, 9))]
    return data


def _changed(plain: Any, dice: Random) -> Any:
    """One value somewhere in the plan is another one."""
    if isinstance(plain, dict) and plain and dice.random() < 0.85:
        name = dice.choice(list(plain))
        return {**plain, name: _changed(plain[name], dice)}
    if isinstance(plain, list) and plain and dice.random() < 0.85:
        at = dice.randrange(len(plain))
        return [*plain[:at], _changed(plain[at], dice), *plain[at + 1 :]]
    if isinstance(plain, dict) and dice.random() < 0.6:
        return {**plain, dice.choice(_NAMES): dice.choice(_VALUES)}
    return dice.choice(_VALUES)


def one(data: bytes) -> None:
    """Read one text as a token, and as a plan in any form."""
    text = data.decode("utf-8", "replace")
    for read in (Plan.from_token, Plan.from_text):
        try:
            plan = read(text)
        except UsageError:
            continue
        assert Plan.from_token(plan.token) == plan, "another plan under the same name"
        assert Plan.from_text(repr(plan)) == plan, repr(plan)
