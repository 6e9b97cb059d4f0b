"""What `chaos.publish` accepts, made into messages that have an id. It knows no broker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.frames import Message, Record
from pytest_mqchaos.history.identity import Identity

ID_HEADER = "mqchaos-id"
FIELDS = ("value", "key", "id", "headers")
_PLACES = (
    "Messages with a key go where the key's hash says, those without one to the partitions in turn "
    "(0, 1, ...)."
)
Given: TypeAlias = Message | Mapping[str, Any] | bytes | str


def understood(
    given: Iterable[Given], *, destination: str, identity: Identity, default: bool, start: int
) -> list[Message]:
    """Messages as they will travel. With the `default` identity each gets an id header (its own
    `id`, else a running number from `start`); else the id is what `identity` finds in it.

    Raises `UsageError` for unknown fields, wrong types, or one id twice.
    """
    if isinstance(given, Message | Mapping | bytes | str):
        raise UsageError(
            f"chaos.publish({destination!r}, {given!r:.80}): this is one message, and a list of "
            "messages is wanted: put it in brackets"
        )
    messages: list[Message] = []
    seen: dict[str, int] = {}
    for number, one in enumerate(given):
        message = _message(one, number)
        if default:
            message = _with_header(message, f"{destination}-{start + number}")
        else:
            message = _with_found(message, destination, identity)
        if message.id is not None and message.id in seen:
            raise UsageError(
                f"messages {seen[message.id]} and {number} of this publish have the same id "
                f"{message.id!r}: ids must be unique within one chaos.publish (a copy is made by a "
                "fault, or by the service's own resend)"
            )
        if message.id is not None:
            seen[message.id] = number
        messages.append(message)
    return messages


def _bytes(value: object, what: str, number: int) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    raise UsageError(
        f"message {number}: {what} must be bytes, str or None, not {type(value).__name__}: "
        f"{value!r:.80}"
    )


def _message(one: Given, number: int) -> Message:
    if isinstance(one, Message):
        fields: Mapping[str, Any] = {name: getattr(one, name) for name in FIELDS}
    elif isinstance(one, Mapping):
        fields = one
        for name in fields:
            if name not in FIELDS:
                todo = _PLACES if name == "partition" else ""
                raise unknown(f"field of message {number}", name, FIELDS, todo)
        if "value" not in fields:
            raise UsageError(f"message {number} has no value: {dict(one)!r:.120}")
    else:
        fields = {"value": one}
    headers = fields.get("headers") or {}
    if not isinstance(headers, Mapping):
        headers = dict(headers)
    return Message(
        value=_bytes(fields["value"], "value", number),
        key=_bytes(fields.get("key"), "key", number),
        id=None if fields.get("id") is None else str(fields["id"]),
        headers={k: _bytes(v, f"header {k}", number) or b"" for k, v in headers.items()},
    )


def _with_header(message: Message, fallback: str) -> Message:
    found = message.headers.get(ID_HEADER)
    name = message.id or (found.decode() if found else fallback)
    headers = {**message.headers, ID_HEADER: name.encode()}
    return Message(value=message.value, key=message.key, id=name, headers=headers)


def owned(message: Message, destination: str, identity: Identity) -> bool:
    """Whether the message is one to be judged: `identity` does not call it somebody else's."""
    return message.id is not None or identity.find(_record(message, destination)).mine


def _record(message: Message, destination: str) -> Record:
    headers = tuple(message.headers.items())
    return Record(destination, 0, -1, message.key, message.value, headers)


def _with_found(message: Message, destination: str, identity: Identity) -> Message:
    ids = identity.of(_record(message, destination))
    return Message(
        value=message.value, key=message.key, id=ids[0] if len(ids) == 1 else None,
        headers=message.headers,
    )  # fmt: skip
