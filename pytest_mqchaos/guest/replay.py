"""Failures that were seen are kept, one small file each, until they pass: `.mqchaos/failures/`.

A failure under a profile is found again by its node id; one under a plan of its own
(`--mqchaos-plan`) has a node id that only exists while that plan is given, so the plan is given to
its test function again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.guest.stash import FIXED
from pytest_mqchaos.plan.rules import Plan

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.session import Chaos

VERSION = 1


class Kept(NamedTuple):
    """One stored failure: its test, and the plan and the number of nodes under which it failed."""

    path: Path
    test: str
    plan: Plan
    nodes: int = 1


REPLAYED: pytest.StashKey[Kept] = pytest.StashKey()


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
            "broker": chaos.host.kind, "nodes": chaos.nodes, "sentence": sentence,
        }  # fmt: skip
        path.write_text(json.dumps(body, indent=1), encoding="utf-8")
    elif report.passed and REPLAYED in item.stash:
        item.stash[REPLAYED].path.unlink(missing_ok=True)
        report.user_properties.append((FIXED, f"FIXED {item.nodeid}"))


def stored(config: pytest.Config) -> Iterator[Kept]:
    """Every stored failure. Raises `UsageError` for a file that this version did not write."""
    for path in sorted(directory(config).glob("*.json")):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            version = body.get("version")
            if version == VERSION:
                nodes = int(body.get("nodes", 1))  # none in those of before there were several
                yield Kept(path, str(body["test"]), Plan.from_token(body["plan"]), nodes)
                continue
        except (ValueError, AttributeError, KeyError, UsageError) as error:
            raise UsageError(f"{path} is no stored failure ({error!r}): remove it") from error
        raise UsageError(
            f"{path} was written by another version (format {version!r}, this one reads "
            f"{VERSION}): remove it, or replay with the version that wrote it"
        )


def plan_for(config: pytest.Config, function: str) -> Plan | None:
    """The plan of its own under which a test function failed, when failures are replayed."""
    if not config.getoption("mqchaos_replay"):
        return None
    own = (kept for kept in stored(config) if kept.test.startswith(f"{function}[plan"))
    return next((kept.plan for kept in own), None)


def first(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests with stored failures before the others, each to run under its stored plan."""
    try:
        known = {kept.test: kept for kept in stored(config)}
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    for item in items:
        if item.nodeid in known:
            item.stash[REPLAYED] = known[item.nodeid]
    items.sort(key=lambda item: item.nodeid not in known)
