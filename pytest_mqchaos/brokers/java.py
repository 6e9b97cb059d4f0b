"""The Java of this machine: where it is, how old it is, and flags for a quick small broker.

It knows no broker. A class-data archive (the JVM's own cache of loaded classes) halves a start; it
belongs to one Java and one class path, so both are part of its name.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_mqchaos.errors import BrokerError, UsageError

# One compiler tier and one collector thread: a broker for a test lives for seconds. No file of
# performance data: it is in the machine's directory for temporary files, and outlives a SIGKILL.
_FLAGS = (
    "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Java:
    """One `java`. `major` is 17 for 17.0.15; `banner` is all that `java -version` says."""

    path: str
    major: int
    banner: str

    def command(self, classpath: Sequence[Path], heap: str, archive: Path | None) -> list[str]:
        """The command line up to the main class. `heap` as in -Xmx, say "192m"."""
        shared = [f"-XX:SharedArchiveFile={archive}"] if archive else []
        return [
            self.path,
            *_FLAGS,
            f"-Xmx{heap}",
            *shared,
            "-cp",
            os.pathsep.join(map(str, classpath)),
        ]

    def archive(self, directory: Path, classpath: Sequence[Path]) -> Path:
        """Where the class-data archive for this Java and class path is, or would be."""
        digest = hashlib.sha256(self.banner.encode())
        for jar in classpath:
            digest.update(f"{jar}:{jar.stat().st_size}:{jar.stat().st_mtime_ns}\n".encode())
        return directory / f"classes-{digest.hexdigest()[:16]}.jsa"


def lacking_java(at_least: int, what: str) -> str | None:
    """A sentence that says what to install if there is no Java or it is too old, else None."""
    found = shutil.which(_candidate())
    if found is None:
        return f"{what} needs Java {at_least} or newer: install a JRE, or set JAVA_HOME"
    java = _inspect(found)
    if java.major < at_least:
        return f"{what} needs Java {at_least} or newer, {found} is {java.major}: set JAVA_HOME"
    return None


def find_java(at_least: int, what: str) -> Java:
    """The `java` of JAVA_HOME or of PATH. UsageError that says what to install."""
    reason = lacking_java(at_least, what)
    if reason is not None:
        raise UsageError(reason)
    found = shutil.which(_candidate())
    assert found is not None
    return _inspect(found)


def _candidate() -> str:
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


@functools.lru_cache
def _inspect(path: str) -> Java:
    done = subprocess.run(
        [path, "-version"], capture_output=True, text=True, timeout=60, check=False
    )
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    if done.returncode != 0 or found is None:
        raise BrokerError(
            f"{path} -version ended with {done.returncode}: {done.stderr.strip()[:300]}"
        )
    return Java(path=path, major=int(found[1]), banner=done.stderr)


def cache_directory() -> Path:
    """The cache of this package on the machine: XDG_CACHE_HOME or ~/.cache, made if needed."""
    base = os.environ.get("XDG_CACHE_HOME")
    directory = (Path(base) if base else Path.home() / ".cache") / "pytest-mqchaos"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextmanager
def only_one(lock: Path, *, wait: bool) -> Iterator[bool]:
    """Do something once per machine at a time; False (only without `wait`): another does it now."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
