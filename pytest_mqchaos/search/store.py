"""Where failures are kept, one small file each, until they pass: `.mqchaos/failures/`.

It knows the directory; it must never know pytest, nor how a failure is run again. Several processes
may write at once: a file appears whole, and the same failure has the same name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.search.failure import Failure, data, read

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The failures in one directory, which need not exist."""

    directory: Path

    def keep(self, failure: Failure) -> Path:
        """Write it down (again); its file. One that is seen again keeps the rate that it had, if it
        comes without: a single run says nothing of it."""
        path = self.directory / f"{failure.name}.json"
        if failure.rate is None and path.exists():
            before = (known.rate for at, known in self._files() if at == path)
            failure = replace(failure, rate=next(before, None))
        self.directory.mkdir(parents=True, exist_ok=True)
        unfinished = self.directory / f".{failure.name}.{os.getpid()}"
        unfinished.write_text(json.dumps(data(failure), indent=1), encoding="utf-8")
        unfinished.replace(path)
        return path

    def drop(self, failure: Failure) -> None:
        """Forget it; no error if somebody else just did."""
        own = self.directory / f"{failure.name}.json"
        if own.exists():
            own.unlink(missing_ok=True)
            return
        for path, found in self._files():  # format 1 had names of its own
            if found.name == failure.name:
                path.unlink(missing_ok=True)

    def all(self) -> tuple[Failure, ...]:
        """Every stored failure, by test. Raises UsageError for a file that it cannot read."""
        found = {failure.name: failure for _, failure in self._files()}
        return tuple(sorted(found.values(), key=lambda one: (one.nodeid, one.name)))

    def of(self, nodeid: str) -> tuple[Failure, ...]:
        """Those of one test."""
        return tuple(failure for failure in self.all() if failure.nodeid == nodeid)

    def named(self, name: str) -> tuple[Failure, ...]:
        """The one with this name, or that begins so, or whose file it is; every one for "all".
        Raises UsageError for none and for several."""
        if name == ALL:
            return self.all()
        if name.endswith(".json"):
            return (read(Path(name)),)
        found = tuple(one for one in self.all() if name and one.name.startswith(name))
        if len(found) == 1:
            return found
        known = ", ".join(one.name for one in found or self.all()) or "none"
        many = "several stored failures begin so" if found else "no stored failure has this name"
        raise UsageError(
            f"{name!r}: {many}. Give one of them, its file, or {ALL!r}; in {self.directory} are: "
            f"{known}"
        )

    def _files(self) -> Iterator[tuple[Path, Failure]]:
        for path in sorted(self.directory.glob("*.json")):
            try:
                yield path, read(path)
            except FileNotFoundError:  # another process saw it pass
                continue
