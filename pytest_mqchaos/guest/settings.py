"""`[tool.mqchaos]` and the options: read and checked once, before anything is collected.

It is loaded with every session, so what it needs beyond its own few lines it imports when asked.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mqchaos.chaos.config import Config, load, size
from pytest_mqchaos.errors import UsageError

if TYPE_CHECKING:
    from pytest_mqchaos.plan.profile import Profile
    from pytest_mqchaos.plan.rules import Plan
    from pytest_mqchaos.search.given import Given

SERVERS = "MQCHAOS_BOOTSTRAP_SERVERS"
LAST = Path(".mqchaos") / "last"
_CONFIG: pytest.StashKey[Config] = pytest.StashKey()
_TOLD: pytest.StashKey[tuple[Plan, Given | None]] = pytest.StashKey()


def check(config: pytest.Config) -> None:
    """Refuse a wrong option or setting in one line, and announce a fixed address to whatever reads
    the environment when it is imported. Raises `pytest.UsageError`."""
    try:
        settings = config_of(config)
        if settings.profiles:
            own(config, "kafka")
        _check_options(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    if settings.listen is not None:
        _announce(config, settings.listen)


def _check_options(config: pytest.Config) -> None:
    seed_of(config, "")
    nodes_of(config)
    plan_of(config)
    kind = config.getoption("mqchaos_broker")
    if kind is not None:
        from pytest_mqchaos.brokers.providers import kinds

        if kind not in kinds("kafka"):
            raise UsageError(
                f"--mqchaos-broker={kind}: kafka has no such broker in this version. Possible: "
                f"{', '.join(kinds('kafka'))}"
            )
    names = profiles_of(config)
    if names:
        from pytest_mqchaos.plan.profiles import expand

        for name in names:
            expand(name, "kafka", own(config, "kafka"))


def config_of(config: pytest.Config) -> Config:
    """The project's settings. Raises `UsageError` naming the key that is wrong."""
    if _CONFIG not in config.stash:
        found = _apart(load(_table(config.rootpath / "pyproject.toml")))
        config.stash[_CONFIG] = replace(found, nodes=nodes_of(config) or found.nodes)
    return config.stash[_CONFIG]


def _table(path: Path) -> dict[str, object]:
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if "mqchaos" not in text:
        return {}
    import tomllib

    try:
        found = tomllib.loads(text).get("tool", {}).get("mqchaos", {})
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no TOML: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path}: [tool.mqchaos] must be a table, not {found!r}")
    return found


def _apart(found: Config) -> Config:
    """Each xdist worker has a data plane of its own, so each its own port: the n-th the n-th."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if found.listen is None or not worker.isdecimal():
        return found
    host, _, port = found.listen.rpartition(":")
    return replace(found, listen=f"{host}:{int(port) + int(worker)}")


def _announce(config: pytest.Config, address: str) -> None:
    before = os.environ.get(SERVERS)
    os.environ[SERVERS] = address

    def withdraw() -> None:
        if before is None:
            os.environ.pop(SERVERS, None)
        else:
            os.environ[SERVERS] = before

    config.add_cleanup(withdraw)


def own(config: pytest.Config, protocol: str) -> dict[str, Profile]:
    """The user's own profiles."""
    from pytest_mqchaos.plan.profiles import own_profiles

    return own_profiles(config_of(config).profiles, protocol)


def profiles_of(config: pytest.Config) -> list[str]:
    """What --mqchaos-profile names."""
    given = config.getoption("mqchaos_profile")
    return [part.strip() for one in given for part in one.split(",") if part.strip()]


def plan_of(config: pytest.Config) -> Plan | None:
    """The plan of --mqchaos-plan."""
    return _told(config)[0]


def given_of(config: pytest.Config) -> Given | None:
    """The drawn arguments that came with it."""
    return _told(config)[1]


def _told(config: pytest.Config) -> tuple[Plan | None, Given | None]:
    text = config.getoption("mqchaos_plan")
    if text is None:
        return None, None
    if _TOLD not in config.stash:  # once: a file may be gone when its failure is fixed
        from pytest_mqchaos.search.failure import apart

        try:
            config.stash[_TOLD] = apart(text)
        except UsageError as error:
            raise UsageError(f"--mqchaos-plan: {error}") from error
    return config.stash[_TOLD]


def directory_of(item: pytest.Item) -> Path:
    """Where a test's history is kept: `--mqchaos-report`, else the place of last failures."""
    import re

    name = re.sub(r"[^\w.-]+", "_", item.nodeid)[-120:]
    given = item.config.getoption("mqchaos_report")
    return (Path(given) if given else item.config.rootpath / LAST) / name


def kind_of(config: pytest.Config) -> str:
    """Which kind of broker is wanted."""
    kind: str = config.getoption("mqchaos_broker") or config_of(config).broker or "embedded"
    return kind


def nodes_of(config: pytest.Config) -> int | None:
    """What --mqchaos-nodes says."""
    given: str | None = config.getoption("mqchaos_nodes")
    if given is None:
        return None
    return size(int(given) if given.isdecimal() else given, f"--mqchaos-nodes={given}")


def seed_of(config: pytest.Config, nodeid: str) -> int:
    """The seed of a test: its node id's, unless the command line says otherwise."""
    given = config.getoption("mqchaos_seed")
    if given is None:
        return zlib.crc32(nodeid.encode())
    if given == "random":
        import secrets

        return secrets.randbelow(1 << 31)
    if not given.isdecimal():
        raise UsageError(
            f"--mqchaos-seed={given}: must be a whole number of 0 or more, or `random`"
        )
    return int(given)
