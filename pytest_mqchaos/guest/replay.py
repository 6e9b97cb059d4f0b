"""Failures that were seen are kept, one small file each, until they pass: `.mqchaos/failures/`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mqchaos.errors import UsageError

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.session import Chaos

VERSION = 1
FIXED = "mqchaos-fixed"
_REPLAYED = pytest.StashKey[Path]()


def directory(config: pytest.Config) -> Path:
    """Where failures are kept."""
    return config.rootpath / ".mqchaos" / "failures"


def _file(config: pytest.Config, nodeid: str) -> Path:
    return directory(config) / f"{hashlib.sha1(nodeid.encode()).hexdigest()[:16]}.json"  # noqa: S324 - a name


def remember(item: pytest.Item, chaos: Chaos, report: pytest.TestReport) -> None:
    """Keep a failure; drop one that was replayed and passes."""
    if report.failed:
        path = _file(item.config, item.nodeid)
        path.parent.mkdir(parents=True, exist_ok=True)
        sentence = next((v.sentence for v in chaos.verdicts if v.status != "passed"), "")
        body = {
            "version": VERSION, "test": item.nodeid, "plan": chaos.plan.token,
            "broker": chaos.host.kind, "sentence": sentence,
        }  # fmt: skip
        path.write_text(json.dumps(body, indent=1), encoding="utf-8")
    elif report.passed and _REPLAYED in item.stash:
        item.stash[_REPLAYED].unlink(missing_ok=True)
        item.user_properties.append((FIXED, f"FIXED {item.nodeid}"))
        report.user_properties = list(item.user_properties)


def stored(config: pytest.Config) -> dict[str, Path]:
    """Node id -> file of every stored failure."""
    found: dict[str, Path] = {}
    for path in sorted(directory(config).glob("*.json")):
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if body.get("version") != VERSION:
            raise UsageError(
                f"{path} was written by another version (format {body.get('version')!r}, this one "
                f"reads {VERSION}): remove it, or replay with the version that wrote it"
            )
        found[str(body["test"])] = path
    return found


def first(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests with stored failures before the others."""
    known = stored(config)
    for item in items:
        if item.nodeid in known:
            item.stash[_REPLAYED] = known[item.nodeid]
    items.sort(key=lambda item: item.nodeid not in known)
