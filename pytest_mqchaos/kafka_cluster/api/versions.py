"""ApiVersions (KIP-35, KIP-511): which APIs and versions the cluster serves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.registry import Api, Call
from pytest_mqchaos.kafka_cluster.schema import Constant, Values

KEY, LOW, HIGH = 18, 0, 4
_NAMED_FROM = 3
# KIP-584: what the whole cluster does, always at its newest level.
FEATURES = {"group.version": 1, "transaction.version": 2}
_SINCE = 1
_SOFTWARE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")


def answer(call: Call, apis: Iterable[Api]) -> Values:
    """Answer with the registration table."""
    if call.version >= _NAMED_FROM:
        names = (call.body.client_software_name, call.body.client_software_version)
        if not all(_SOFTWARE.fullmatch(name) for name in names):
            return {"error_code": ErrorCode.invalid_request, "api_keys": ()}
    return _table(tuple(apis))


@cache
def _table(apis: tuple[Api, ...]) -> Constant:
    """The same for every client and connection: some ask it ten times in a test of a moment."""
    keys = [{"api_key": api.key, "min_version": api.low, "max_version": api.high} for api in apis]
    return Constant(
        {
            "error_code": ErrorCode.none,
            "api_keys": keys,
            "supported_features": [
                {"name": name, "min_version": 0, "max_version": level}
                for name, level in FEATURES.items()
            ],
            "finalized_features_epoch": _SINCE,
            "finalized_features": [
                {"name": name, "max_version_level": level, "min_version_level": level}
                for name, level in FEATURES.items()
            ],
        }
    )


def unsupported() -> Values:
    """Answer (as v0) a client that asked in a version we do not know: it asks again (KIP-511)."""
    return {
        "error_code": ErrorCode.unsupported_version,
        "api_keys": [{"api_key": KEY, "min_version": LOW, "max_version": HIGH}],
    }
