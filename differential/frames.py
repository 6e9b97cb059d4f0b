"""Requests and answers of every version as bytes, by the name of their API (kio's schemas)."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader, entity_writer

from differential.marks import CLIENT
from pytest_mqchaos.kafka_cluster.apis import APIS
from pytest_mqchaos.wire.kafka.entities import fill

KEYS = {api.name: api.key for api in APIS.values()}
VERSIONS = {api.name: (api.low, api.high) for api in APIS.values()}


def request(api: str, version: int, correlation: int, values: Mapping[str, Any]) -> bytes:
    """A whole frame. Values may name more fields than the version has."""
    schema, write = _writer(KEYS[api], version)
    header: Any = schema.__header_schema__
    head = {"request_api_key": KEYS[api], "request_api_version": version,
            "correlation_id": correlation, "client_id": CLIENT}  # fmt: skip
    out = io.BytesIO()
    entity_writer(header)(out, fill(header, head))
    write(out, fill(schema, values))
    return struct.pack(">i", out.tell()) + out.getvalue()


def answer(api: str, version: int, frame: bytes) -> Any:
    """The body of an answer frame, as kio's entity."""
    schema: Any = load_response_schema(KEYS[api], version)
    _, used = entity_reader(schema.__header_schema__)(frame, 4)
    body, _ = entity_reader(schema)(frame, 4 + used)
    return body


@cache
def _writer(key: int, version: int) -> tuple[Any, Any]:
    schema: Any = load_request_schema(key, version)
    return schema, entity_writer(schema)
