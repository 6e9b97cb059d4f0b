"""Messages to draw: a batch with keys, each key's messages numbered in their order.

It knows what a batch looks like; it must never know what a service makes of it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pytest_mqchaos.errors import UsageError, missing_extra
from pytest_mqchaos.frames import Message
from pytest_mqchaos.search.narrowing import count

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    raise missing_extra("hypothesis", "hypothesis", "drawing messages") from error

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

Encode = Callable[[str, str, int], bytes]


def batches(
    *, min_size: int = 0, max_size: int = 10, keys: str | Iterable[str] = ("a", "b", "c"),
    encode: Encode | None = None,
) -> SearchStrategy[list[Message]]:  # fmt: skip
    """Lists of messages for `chaos.publish`, each with a key, the number that it has among those of
    its key (`seq`, from 1), and an id that says both: "a-1", "b-1", "a-2".

    The value is JSON, `{"id": "a-1", "key": "a", "seq": 1}`, or what `encode(id, key, seq)` makes.
    They shrink to fewer messages, then to the first of the keys.
    """
    least = count("batches", "min_size", min_size)
    most = count("batches", "max_size", max_size)
    if least > most:
        raise UsageError(f"batches(min_size={least}, max_size={most}): least is more than most.")
    names = (keys,) if isinstance(keys, str) else tuple(keys)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise UsageError(f"batches(keys={keys!r}): must be a str or several, none of them empty.")
    body = encode or _json
    return _batches(st.lists(st.sampled_from(names), min_size=least, max_size=most), body)


@st.composite  # and no `map`: Hypothesis would print a call of ours instead of the messages
def _batches(draw: DrawFn, chosen: SearchStrategy[list[str]], encode: Encode) -> list[Message]:
    return numbered(draw(chosen), Counter(), encode)


def _json(name: str, key: str, seq: int) -> bytes:
    return json.dumps({"id": name, "key": key, "seq": seq}).encode()


def numbered(keys: Iterable[str], seen: Counter[str], encode: Encode = _json) -> list[Message]:
    """A message for each of these keys; `seen` counts on how many each key had before."""
    made = []
    for key in keys:
        seen[key] += 1
        name = f"{key}-{seen[key]}"
        made.append(Message(value=encode(name, key, seen[key]), key=key.encode(), id=name))
    return made
