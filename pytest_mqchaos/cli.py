"""The `mqchaos` command: what this machine can do, what the profiles mean, replay."""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mqchaos.errors import UsageError

if TYPE_CHECKING:
    from pytest_mqchaos.search.failure import Failure

CLIENTS = ("pytest", "hypothesis", "kio", "aiokafka", "confluent-kafka", "kafka-python")
PROTOCOLS = ("kafka",)
LIST, DROP = "--list", "--drop"  # of `replay`: run nothing
ROOTS = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "setup.py", ".git")
_NAME = re.compile(r"[0-9a-f]{4,12}|.*\.json")  # of stored failures


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _doctor(_: argparse.Namespace) -> int:
    """Which brokers can be used here, and what the others need."""
    from pytest_mqchaos.brokers.providers import kinds, lacking

    print(f"pytest-mqchaos {_version('pytest-mqchaos')}, Python {platform.python_version()}")
    for package in CLIENTS:
        print(f"  {package:<16} {_version(package)}")
    ready = False
    for protocol in PROTOCOLS:
        for kind in kinds(protocol):
            reason = lacking(protocol, kind)
            ready = ready or reason is None
            print(f"  {protocol} --mqchaos-broker={kind:<9} {reason or 'ready'}")
    return 0 if ready else 1


def _profiles(given: argparse.Namespace) -> int:
    """All profiles in a line each, or one of them as a page."""
    from pytest_mqchaos.plan.profiles import BUNDLES, PROFILES, expand
    from pytest_mqchaos.plan.render import profile_page

    if given.name is not None:
        found = expand(given.name, given.protocol)
        print("\n\n".join(profile_page(profile) for profile in found))
        return 0
    for name, profile in PROFILES[given.protocol].items():
        print(f"{name:<20} {profile.title}")
    for name, members in BUNDLES[given.protocol].items():
        print(f"{name:<20} bundle: {', '.join(members)}")
    return 0


def _replay(given: argparse.Namespace) -> int:
    """The stored failures, or the named ones: a line each; then pytest runs them, and nothing
    else."""
    from pytest_mqchaos.search.store import Store

    words = [one for one in given.arguments if one not in (LIST, DROP)]
    names = [one for one in words if _NAME.fullmatch(one)]
    root = _project()
    store = Store(directory=root / ".mqchaos" / "failures")
    found = [one for name in names or ["all"] for one in store.named(name)]
    for failure in found:
        print("\n".join(_told(failure)))
    if not found:
        print(f"nothing is stored in {store.directory}")
    if DROP in given.arguments:
        for failure in found:
            store.drop(failure)
    if not found or {LIST, DROP} & {*given.arguments}:
        return 0
    sys.stdout.flush()
    rest = [one for one in words if one not in names]
    kinds = dict.fromkeys(one.broker for one in found)
    codes = [
        _run(root, kind, [one.name for one in found if one.broker == kind], rest) for kind in kinds
    ]
    return max(codes)


def _run(root: Path, kind: str, names: Sequence[str], rest: Sequence[str]) -> int:
    only = [f"--mqchaos-replay-only={name}" for name in names]
    broker = [] if kind == "embedded" else [f"--mqchaos-broker={kind}"]
    command = [sys.executable, "-m", "pytest", f"--rootdir={root}", *only, *broker, *rest]
    return subprocess.run(command, check=False).returncode


def _project() -> Path:
    """The directory that holds the failures: this one, or one above it in the same project."""
    above = (Path.cwd(), *Path.cwd().parents)
    ends = (n for n, one in enumerate(above) if any((one / name).exists() for name in ROOTS))
    places = above[: next(ends, 0) + 1]
    return next((one for one in places if (one / ".mqchaos" / "failures").is_dir()), places[-1])


def _told(failure: Failure) -> list[str]:
    """Name and test; below it what was broken and what came of it."""
    rate = f" ({failure.rate[0]} of {failure.rate[1]} times)" if failure.rate else ""
    broker = failure.broker_version or failure.broker
    return [
        f"{failure.name} {failure.nodeid}",
        f"             {failure.told}, on {broker}",
        f"             {failure.sentence or 'it failed'}{rate}",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mqchaos", description="Messaging chaos testing: what works here, what profiles mean."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    doctor = commands.add_parser("doctor", help="which brokers can be used on this machine")
    doctor.set_defaults(run=_doctor)
    profiles = commands.add_parser("profiles", help="list the fault profiles, or explain one")
    profiles.add_argument("name", nargs="?", help="a profile or bundle")
    profiles.add_argument("--protocol", default="kafka", choices=PROTOCOLS)
    profiles.set_defaults(run=_profiles)
    # No prefix of its own: what looks like an option here is pytest's, but for two.
    replay = commands.add_parser(
        "replay", prefix_chars="\0", add_help=False,
        help="list the stored failures and run them: [NAME ...] [--list | --drop] [pytest's own]",
    )  # fmt: skip
    replay.add_argument("arguments", nargs="*", help="names; the rest is handed to pytest")
    replay.set_defaults(run=_replay)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    given = _parser().parse_args(argv)
    try:
        status: int = given.run(given)
        sys.stdout.flush()
    except UsageError as error:
        print(f"mqchaos: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever reads us (`| head`) has seen enough; the interpreter must not try once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
