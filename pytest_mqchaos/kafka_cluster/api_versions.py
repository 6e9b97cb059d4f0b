"""ApiVersions (KIP-35, KIP-511): which APIs and versions the cluster serves."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.registry import Api, Call
from pytest_mqchaos.kafka_cluster.schema import Values

KEY, LOW, HIGH = 18, 0, 4
_NAMED_FROM = 3
_SOFTWARE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")


def answer(call: Call, apis: Iterable[Api]) -> Values:
    """Answer with the registration table."""
    if call.version >= _NAMED_FROM:
        names = (call.body.client_software_name, call.body.client_software_version)
        if not all(_SOFTWARE.fullmatch(name) for name in names):
            return {"error_code": ErrorCode.invalid_request, "api_keys": ()}
    return {
        "error_code": ErrorCode.none,
        "api_keys": [
            {"api_key": api.key, "min_version": api.low, "max_version": api.high} for api in apis
        ],
    }


def unsupported() -> Values:
    """Answer (as v0) a client that asked in a version we do not know: it asks again (KIP-511)."""
    return {
        "error_code": ErrorCode.unsupported_version,
        "api_keys": [{"api_key": KEY, "min_version": LOW, "max_version": HIGH}],
    }
