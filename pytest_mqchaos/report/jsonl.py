"""The whole history as JSON lines, one row each, in order of time: for tools and for reading back.

    {"row": "attempt", "seq": 3, "t": 1200, "owner": "publisher", ...}

The first line describes the run (rules, flow, gaps, limits). It gives lines; the caller writes the
file. Bytes are text where they are UTF-8, else `{"hex": ...}`; payloads can be hidden.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pytest_mqchaos.history.history import History
from pytest_mqchaos.report.context import SECRETS, Payloads
from pytest_mqchaos.report.redact import HIDDEN, Redactor, digest

_KINDS = (
    ("attempt", "attempts"),
    ("delivery", "deliveries"),
    ("ack", "acks"),
    ("effect", "effects"),
    ("handled", "handled"),
    ("accepted", "accepted"),
    ("process", "processes"),
    ("rule", "rule_events"),
    ("stored", "stored"),
    ("place", "places"),
)


def lines(
    history: History, *, payloads: Payloads = "show", secrets: tuple[str, ...] = SECRETS
) -> Iterator[str]:
    """One JSON object a line, without line ends. What has no instant comes last."""
    redact = Redactor(payloads=payloads, names=secrets)
    yield json.dumps(_run(history, redact), ensure_ascii=False)
    rows: list[tuple[int, int, str, Any]] = []
    for kind, name in _KINDS:
        for row in getattr(history, name) or ():
            t = getattr(row, "t", getattr(row, "t_to", 0)) or 1 << 63
            rows.append((t, getattr(row, "seq", 0), kind, row))
    rows.sort(key=lambda entry: entry[:2])
    for _, _, kind, row in rows:
        data = {"row": kind}
        data |= {field: _shown(field, value, redact) for field, value in row._asdict().items()}
        yield json.dumps(data, ensure_ascii=False, default=repr)


def _run(history: History, redact: Redactor) -> dict[str, Any]:
    flow, expected = history.flow, history.expected
    return {
        "row": "run",
        "started": history.started,
        "read_back": history.read_back,
        "rules": [
            {
                "source": redact.text(rule.source),
                "cause": rule.cause,
                "fired": rule.fired,
                "matched": rule.matched,
                "optional": rule.optional,
                "reasons": list(rule.reasons),
            }
            for rule in history.rules
        ],
        "flow": {
            role: sorted(getattr(flow, role))
            for role in ("inputs", "retries", "outputs", "dead_letters")
        },
        "expected": {
            why: sorted(getattr(expected, why))
            for why in ("dead_lettered", "expired", "dropped", "ignored")
        },
        "gaps": list(history.gaps),
        "unidentified": len(history.unidentified),
        "limits": list(history.limits),
        "links": {str(link): owner for link, owner in history.links.items()},
    }


def _shown(field: str, value: object, redact: Redactor) -> object:
    """A field as JSON: digests as hex, payloads as text (or hidden), all else as it is."""
    if field == "content" and isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bytes):
        return _bytes(value, redact)
    if field == "headers" and isinstance(value, tuple):
        return [[name, _header(name, each, redact)] for name, each in value]
    if field in ("key", "value") and value is not None and redact.payloads == "hash":
        return digest(repr(value).encode())
    return redact.text(value) if isinstance(value, str) else redact.clean(value)


def _header(name: str, value: bytes | None, redact: Redactor) -> object:
    if value is None:
        return None
    return HIDDEN if redact.secret(name) else _bytes(value, redact)


def _bytes(value: bytes, redact: Redactor) -> object:
    if redact.payloads == "hash":
        return digest(value)
    try:
        value.decode()
    except UnicodeDecodeError:
        return {"hex": value.hex()}
    return redact.payload(value, length=1 << 30)
