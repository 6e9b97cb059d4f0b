"""A plan as one word: version, a dot, base64 of compressed JSON. It knows bytes, no rules.

mq1.eNqrVsrPU7JSSs7PS8sszlWqBQAu...

A second dot may follow, and what is no part of the plan: the other arguments of its test.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from pytest_mqchaos.errors import UsageError

VERSION = 1
PREFIX = f"mq{VERSION}."
_SHAPE = re.compile(r"mq(\d{1,4})\.")
_LARGEST = 1 << 20  # bytes of JSON; a plan of ten thousand rules has half of that


def looks_like(text: str) -> bool:
    """Whether this was meant as a token of any version."""
    return _SHAPE.match(text) is not None


def parted(text: str) -> tuple[str, str]:
    """The plan's own word, and what stands after its second dot ("" for nothing)."""
    version, dot, rest = text.strip().partition(".")
    plan, _, more = rest.partition(".")
    return f"{version}{dot}{plan}", more


def encode(data: Mapping[str, Any]) -> str:
    """One word without characters that a shell would touch; the same data, the same word."""
    text = json.dumps(data, separators=(",", ":"), sort_keys=True, allow_nan=False)
    packed = zlib.compress(text.encode("ascii"), 9)
    return PREFIX + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def decode(text: str) -> dict[str, Any]:
    """The inverse, without what follows a second dot. Raises UsageError for a broken word and for
    another version's."""
    text, _ = parted(text)
    found = _SHAPE.match(text)
    if found is None:
        raise UsageError(f"{_short(text)} is no plan token: a token starts with {PREFIX!r}.")
    if int(found.group(1)) != VERSION:
        raise UsageError(
            f"{_short(text)} is a plan token of version {found.group(1)}; this pytest-mqchaos "
            f"reads version {VERSION}. Run it with the release that wrote it, or write the plan as "
            "code."
        )
    body = text[found.end() :]
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(packed, _LARGEST)
        data = json.loads(plain) if unpacker.eof and not unpacker.unused_data else None
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise UsageError(
            f"the plan token {_short(text)} is broken ({error}): copy the whole word, "
            "from its 'mq' to its end."
        ) from error
    if not isinstance(data, dict):
        raise UsageError(
            f"the plan token {_short(text)} holds no plan: its end is missing or too long. "
            "Copy the whole word."
        )
    return data


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")  # noqa: PLR2004 - fits a line
