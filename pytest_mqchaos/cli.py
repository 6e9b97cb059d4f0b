"""The `mqchaos` command: what this machine can do, what the profiles mean, replay."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from pytest_mqchaos.errors import UsageError

CLIENTS = ("pytest", "hypothesis", "kio", "aiokafka", "confluent-kafka", "kafka-python")
PROTOCOLS = ("kafka",)


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
    """Stored failures first; pytest does the rest."""
    command = [sys.executable, "-m", "pytest", "--mqchaos-replay", *given.arguments]
    return subprocess.run(command, check=False).returncode


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
    # No prefix of its own: what looks like an option here is pytest's.
    replay = commands.add_parser(
        "replay", help="run the stored failures first", prefix_chars="\0", add_help=False
    )
    replay.add_argument("arguments", nargs="*", help="handed to pytest")
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
