"""Whose code a frame or a module is: the user's, a library's, or the machinery's that runs it.

It knows where modules lie and the names of those that live in real time; it must never know what
they are asked.
"""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from pathlib import Path
from types import FrameType

# They measure, schedule or guard the real run, or wait for real threads and processes: for them a
# clock that stands still would be a hang, and a virtual one a lie.
_REAL_TIME = frozenset({
    "_hypothesis_globals", "_hypothesis_pytestplugin", "_pytest", "concurrent", "coverage",
    "execnet", "faulthandler", "hypothesis", "multiprocessing", "pluggy", "pytest",
    "pytest_mqchaos", "queue", "selectors", "socket", "socketserver", "ssl", "subprocess",
    "threading", "timeit", "xdist",
})  # fmt: skip
_LIBRARIES = tuple(
    str(Path(path).resolve()) + "/"
    for path in {sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib")}
)
_OURS = str(Path(__file__).resolve().parents[1]) + "/"
_STDLIB = str(Path(sysconfig.get_path("stdlib")).resolve()) + "/"


@cache
def in_real_time(module: str) -> bool:
    """True for modules that keep the clocks of the machine (by their name): pytest and its plugins,
    Hypothesis, this package, and what waits for real threads and processes."""
    top = module.partition(".")[0]
    return top in _REAL_TIME or top.startswith("pytest_")


def of_users(frame: FrameType) -> bool:
    """True for code that lies neither in the standard library, nor among installed packages, nor
    here."""
    return users_file(frame.f_code.co_filename)


@cache
def users_file(filename: str) -> bool:
    """The same of a file. What has no file (`<string>`) is the user's, but for frozen modules."""
    if filename.startswith("<frozen"):
        return False
    path = str(Path(filename).resolve()) if not filename.startswith("<") else filename
    return not path.startswith((*_LIBRARIES, _OURS))


def users_module(name: str) -> bool:
    """The same of a module that is imported, by its name."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return name == "__main__" if file is None else users_file(file)


@cache
def _of_stdlib(filename: str) -> bool:
    path = str(Path(filename).resolve())
    return filename.startswith("<frozen") or (
        path.startswith(_STDLIB) and "/site-packages/" not in path
    )


def caller(depth: int = 1) -> FrameType | None:
    """The nearest frame up the stack, beginning `depth` above who asks, that is not of the standard
    library: who wanted what a guarded function was called for."""
    frame: FrameType | None = sys._getframe(depth + 1)  # noqa: SLF001 - there is no other way
    while frame is not None and _of_stdlib(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def users_place(depth: int = 1) -> str:
    """Where, in the user's code, the current call comes from ("file.py:12"); else where in a
    library."""
    first = frame = caller(depth + 1)
    while frame is not None and not of_users(frame):
        frame = frame.f_back
    found = frame or first
    return place(found) if found is not None else "an unknown place"


def place(frame: FrameType) -> str:
    """Give "file.py:12", short where the file lies below the working directory."""
    path = Path(frame.f_code.co_filename)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shown}:{frame.f_lineno}"
