"""Control messages that are the engine's own: JSON in, JSON out.

It knows names and shapes of commands; it must never know how they travel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_mqchaos.errors import unknown
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.rules import Rule
from pytest_mqchaos.relay.engine import Engine

Body = Mapping[str, Any]


def command(engine: Engine, do: str, body: Body, now: int) -> dict[str, object]:
    """Carry out one command; `UsageError` names what is allowed."""
    try:
        handler = _HANDLERS[do]
    except KeyError:
        raise unknown("command", do, _HANDLERS) from None
    engine.now = now
    return handler(engine, body, now) or {}


def _begin(engine: Engine, body: Body, now: int) -> None:
    engine.begin(body.get("settings", {}), now)


def _end(engine: Engine, _body: Body, now: int) -> None:
    engine.end(now)


def _arm(engine: Engine, body: Body, now: int) -> None:
    engine.arm([(r["index"], Rule.from_json(r["rule"])) for r in body["rules"]], now)


def _disarm(engine: Engine, _body: Body, _now: int) -> None:
    engine.disarm()


def _heal(engine: Engine, _body: Body, now: int) -> None:
    engine.heal(now)


def _cut(engine: Engine, body: Body, now: int) -> None:
    engine.cut(body["owner"], now)


def _closing(engine: Engine, body: Body, now: int) -> None:
    engine.closing(body["owner"], now)


def _note(engine: Engine, body: Body, now: int) -> None:
    engine.note(body["body"], now)


def _counters(engine: Engine) -> list[dict[str, object]]:
    return [
        {"index": a.index, "fired": a.fired, "matched": a.matched, "reasons": a.reasons[-3:],
         "firing": a.firing}
        for a in engine.armory.armed
    ]  # fmt: skip


def _rules(engine: Engine, _body: Body, _now: int) -> dict[str, object]:
    return {"rules": _counters(engine)}


def _status(engine: Engine, _body: Body, now: int) -> dict[str, object]:
    """Everything that `settle` has to know."""
    publishes = engine.codec.requests_of(Point.PUBLISH)
    open_publishes = 0
    for link in engine.links.values():
        if link.owner in engine.recording.closing or link.closing is not None:
            continue
        for pending in link.scanner.outstanding:
            if pending.frame is not None and pending.frame.name in publishes:
                open_publishes += 1
    owners: dict[str, int] = {}
    for link in engine.links.values():
        owners[link.owner] = owners.get(link.owner, 0) + 1
    return {
        "now": now,
        "moved": engine.recording.moved(),
        "entries": engine.recording.seq,
        "open_publishes": open_publishes,
        "asked": len(engine.questions),
        "held": sum(len(f.held) for f in engine.firings),
        "dark": sum(link.dark for link in engine.links.values()),
        "firing": [f.index for f in engine.firings],
        "timers": engine.timers(),
        "links": owners,
        "undecoded": engine.recording.undecoded,
        "blind": [link.scanner.blind for link in engine.links.values() if link.scanner.blind],
        "rules": _counters(engine),
    }


_HANDLERS: dict[str, Callable[[Engine, Body, int], dict[str, object] | None]] = {
    "begin": _begin,
    "end": _end,
    "arm": _arm,
    "disarm": _disarm,
    "heal": _heal,
    "cut": _cut,
    "closing": _closing,
    "note": _note,
    "rules": _rules,
    "status": _status,
}
