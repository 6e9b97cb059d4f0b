"""`[tool.mqchaos]` and the options, read once a session."""

from __future__ import annotations

import tomllib
import zlib

import pytest

from pytest_mqchaos.chaos.config import Config, load
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan.profile import Profile
from pytest_mqchaos.plan.profiles import own_profiles

_CONFIG = pytest.StashKey[Config]()


def config_of(config: pytest.Config) -> Config:
    """The project's settings. Raises `UsageError` naming the key that is wrong."""
    if _CONFIG not in config.stash:
        path = config.rootpath / "pyproject.toml"
        table = {}
        if path.is_file():
            table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
        config.stash[_CONFIG] = load(table.get("mqchaos", {}))
    return config.stash[_CONFIG]


def own(config: pytest.Config, protocol: str) -> dict[str, Profile]:
    """The user's own profiles."""
    return own_profiles(config_of(config).profiles, protocol)


def kind_of(config: pytest.Config) -> str:
    """Which kind of broker is wanted."""
    kind: str = config.getoption("mqchaos_broker") or config_of(config).broker or "embedded"
    return kind


def seed_of(config: pytest.Config, nodeid: str) -> int:
    """The seed of a test: its node id's, unless the command line says otherwise."""
    given = config.getoption("mqchaos_seed")
    if given is None:
        return zlib.crc32(nodeid.encode())
    if given == "random":
        import secrets

        return secrets.randbelow(1 << 31)
    if not given.isdigit():
        raise UsageError(f"--mqchaos-seed={given}: must be a whole number or `random`")
    return int(given)
