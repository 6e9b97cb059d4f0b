"""A failure as data: its test, its plan, the other arguments, what was seen; and its form on disk.

It knows the form and its versions; it must never know where failures are kept (`store`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan import token
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.search.given import Given

VERSION = 2
READS = (1, VERSION)  # 1 knew one failure a test, and no drawn arguments
_NAME = 12  # digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failure, with what it takes to run it again.

    `nodeid` as pytest knows the test (relative to its rootdir), `plan` with its seed, `given`: the
    other arguments of a property test's example, `nodes` of the cluster. For people: `broker` its
    kind, `broker_version`, `versions` (of us, Python, clients), `sentence` of the verdict, `rate`:
    failed r of k times.
    """

    nodeid: str
    plan: Plan
    given: Given | None = None
    broker: str = "embedded"
    broker_version: str = ""
    nodes: int = 1
    versions: Mapping[str, str] = field(default_factory=dict)
    sentence: str = ""
    rate: tuple[int, int] | None = None

    @property
    def token(self) -> str:
        """Plan and arguments as one word, for `--mqchaos-plan`."""
        word = self.plan.token
        return word if self.given is None else f"{word}.{self.given.word}"

    @property
    def told(self) -> str:
        """What went wrong on purpose, in a line."""
        drawn = "no fault" if self.given is None else "no fault, or what its steps arm"
        return ", ".join(map(repr, self.plan.rules)) or drawn

    @property
    def name(self) -> str:
        """Of its file: the same test, plan and arguments, the same name."""
        body = f"{self.nodeid}\0{self.broker}\0{self.token}"
        return hashlib.sha1(body.encode("utf-8", "surrogatepass")).hexdigest()[:_NAME]  # noqa: S324


def read(path: Path) -> Failure:
    """The failure in a file. Raises UsageError for what is none, FileNotFoundError."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        version = body.get("version")
        if version in READS:
            return _failure(body)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, AttributeError, KeyError, TypeError, UsageError) as error:
        why = str(error) if isinstance(error, UsageError) else repr(error)
        raise UsageError(f"{path} is no stored failure ({why}): remove it") from error
    raise UsageError(
        f"{path} was written by another version (format {version!r}, this one reads up to "
        f"{VERSION}): remove it, or replay with the version that wrote it"
    )


def data(failure: Failure) -> dict[str, Any]:
    """As it is written down; what is at its default is left out."""
    told = {
        "broker_version": failure.broker_version, "nodes": failure.nodes,
        "versions": dict(failure.versions), "sentence": failure.sentence,
        "rate": list(failure.rate) if failure.rate else None,
    }  # fmt: skip
    return {
        "version": VERSION, "test": failure.nodeid, "plan": failure.token,
        "source": repr(failure.plan), "broker": failure.broker,
        **{name: value for name, value in told.items() if value},
    }  # fmt: skip


def _failure(body: Mapping[str, Any]) -> Failure:
    plan, given = apart(str(body["plan"]))
    rate = body.get("rate")
    return Failure(
        nodeid=str(body["test"]), plan=plan, given=given,
        broker=str(body.get("broker", "embedded")),
        broker_version=str(body.get("broker_version", "")),
        nodes=int(body.get("nodes", 1)),
        versions={str(name): str(one) for name, one in dict(body.get("versions", {})).items()},
        sentence=str(body.get("sentence", "")),
        rate=None if rate is None else (int(rate[0]), int(rate[1])),
    )  # fmt: skip


def apart(text: str) -> tuple[Plan, Given | None]:
    """Plan and arguments of a token, of a plan's source, or of a file that holds one of these or a
    stored failure. Raises UsageError for what is none of these."""
    text = text.strip()
    if token.looks_like(text):
        word, more = token.parted(text)
        return Plan.from_token(word), Given.from_word(more) if more else None
    if "(" in text or not _is_file(text):
        return Plan.from_text(text), None
    if text.endswith(".json"):
        failure = read(Path(text))
        return failure.plan, failure.given
    held = Path(text).read_text(encoding="utf-8").strip()
    return apart(held) if token.looks_like(held) else (Plan.from_text(text), None)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero in it
        return False
