"""Which message is this: from the user's spec to ids, and the digest of a content.

    spec --parse--> Identity --find(record)--> Found(ids, mine, reason)

It knows where an id may stand in a record, it never knows a protocol: a codec whose messages have
properties (AMQP) hands them over as headers named `property:NAME`. It never raises for a record,
because it runs on what a service under test published.
"""

from __future__ import annotations

import importlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.frames import Record

DEFAULT_SPEC = "header:mqchaos-id"
ANY = "*"  # in a mapping of destinations: every destination that it does not name

Spec: TypeAlias = object
"""str, callable, tuple or list of specs (composite), or mapping of destination -> spec."""

_ALLOWED = (
    "header:NAME", "json:/pointer", "key", "value", "property:NAME", "offset",
    "package.module:function",
)  # fmt: skip
_TODO = "A tuple of these is a composite id; a callable gets a Record."
_IMPORTABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class Found(NamedTuple):
    """What identity says of one record. No `ids` and `mine`: unidentified, `reason` says why.
    Not `mine`: the user's callable returned None, the record is not judged at all."""

    ids: tuple[str, ...]
    mine: bool = True
    reason: str = ""


_Finder: TypeAlias = Callable[[Record], Found]
NOT_MINE = Found((), mine=False)
_TOMBSTONE = "the value is null (a tombstone): take its id from header or key"


def content(key: bytes | None, value: bytes | None) -> bytes:
    """Digest key and value (12 bytes); None and empty differ, so do ("a", "b") and ("ab", "")."""
    head = b"-" if key is None else b"%d:" % len(key) + key
    return blake2b(head + (b"-" if value is None else b"+" + value), digest_size=12).digest()


def compose(parts: Sequence[str]) -> str:
    """The one id that stands for a composite: parts joined by `|`, a `|` inside escaped."""
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.hex()


def as_id(given: object) -> str:
    """An id as text: what a client hands over as bytes (a key, a value, a header) is the same id as
    `find` makes of it."""
    if isinstance(given, bytes | bytearray | memoryview):
        return _text(bytes(given))
    return str(given)


def _scalar(found: object) -> str:
    if isinstance(found, str):
        return found
    return json.dumps(found, separators=(",", ":"), sort_keys=True)


def _one(data: bytes | None, why: str) -> Found:
    return Found((), reason=why) if data is None else Found((_text(data),))


def _header(name: str) -> _Finder:
    def find(record: Record) -> Found:
        for key, value in reversed(record.headers):
            if key == name:
                return _one(value, f"header {name!r} is null")
        names = ", ".join(sorted({key for key, _ in record.headers})) or "none"
        return Found((), reason=f"no header {name!r} (headers: {names})")

    return find


def _step(node: object, token: str) -> object:
    if isinstance(node, list):
        return node[int(token)]
    if isinstance(node, dict):
        return node[token]
    raise KeyError(token)


def _json(pointer: str) -> _Finder:
    tokens = [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]

    def find(record: Record) -> Found:
        if record.value is None:
            return Found((), reason=_TOMBSTONE)
        try:
            node: object = json.loads(record.value)
            for token in tokens:
                node = _step(node, token)
        except (ValueError, LookupError, RecursionError) as error:
            return Found((), reason=f"json:{pointer} not found: {type(error).__name__}: {error}")
        if node is None:
            return Found((), reason=f"json:{pointer} is null")
        return Found((_scalar(node),))

    return find


def _key(record: Record) -> Found:
    return _one(record.key, "the key is null")


def _value(record: Record) -> Found:
    return _one(record.value, _TOMBSTONE)


def _offset(record: Record) -> Found:
    if record.offset < 0:
        return Found((), reason="the record has no offset yet")
    return Found((f"{record.topic}-{record.partition}@{record.offset}",))


def _called(function: Callable[[Record], object]) -> _Finder:
    def find(record: Record) -> Found:
        # The user's code runs on whatever the service published: it may not hurt that service.
        try:
            answer = function(record)
        except Exception as error:  # noqa: BLE001 - any code of the user's
            return Found((), reason=f"the id callable raised {type(error).__name__}: {error}")
        if answer is None:
            return NOT_MINE
        ids = tuple(answer) if isinstance(answer, list | tuple) else (answer,)
        if not ids or not all(isinstance(each, str) for each in ids):
            return Found((), reason=f"the id callable returned {answer!r}, not str or list of str")
        return Found(ids)

    return find


def _composite(finders: Sequence[_Finder]) -> _Finder:
    def find(record: Record) -> Found:
        found = [finder(record) for finder in finders]
        for each in found:
            if not each.ids:
                return each
        return Found(tuple(compose(p) for p in itertools.product(*(f.ids for f in found))))

    return find


def _imported(spec: str) -> Callable[[Record], object]:
    module, _, path = spec.partition(":")
    try:
        target: object = importlib.import_module(module)
        for name in path.split("."):
            target = getattr(target, name)
    except (ImportError, AttributeError) as error:
        raise unknown("id", spec, _ALLOWED, f"As a function it cannot be had: {error}.") from error
    if not callable(target):
        raise UsageError(f"id {spec!r} names {target!r}, which is not callable. {_TODO}")
    return target


def _name_of(function: Callable[[Record], object]) -> str | None:
    """`package.module:function` if importing that gives this very object, else None."""
    name = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"
    if not _IMPORTABLE.fullmatch(name) or name.startswith("__main__:"):
        return None
    try:
        return name if _imported(name) is function else None
    except UsageError:
        return None


def _from_text(spec: str) -> _Finder:
    plain: dict[str, _Finder] = {"key": _key, "value": _value, "offset": _offset}
    if spec in plain:
        return plain[spec]
    kind, colon, rest = spec.partition(":")
    if kind == "header" and rest:
        return _header(rest)
    if kind == "property" and rest:
        return _header(spec)
    if kind == "json" and colon:
        if rest and not rest.startswith("/"):
            raise UsageError(
                f"id {spec!r}: a JSON pointer starts with '/' (RFC 6901), so 'json:/{rest}'."
            )
        return _json(rest)
    if _IMPORTABLE.fullmatch(spec) and kind not in ("header", "property"):
        return _called(_imported(spec))
    raise unknown("id", spec, _ALLOWED, _TODO)


def _compile(spec: Spec) -> tuple[_Finder, object | None]:
    """The finder of a spec and the spec as JSON, None if it cannot be written down."""
    if isinstance(spec, str):
        return _from_text(spec), spec
    if isinstance(spec, tuple | list) and spec:
        made = [_compile(part) for part in spec]
        written = [json_spec for _, json_spec in made]
        return _composite([f for f, _ in made]), None if None in written else written
    if callable(spec):
        return _called(spec), _name_of(spec)
    raise unknown("id", spec, _ALLOWED, _TODO)


class Identity:
    """How messages are told apart, compiled once from a spec. `last_reason` is why the last
    unidentified record has no id ("" if there was none)."""

    __slots__ = ("_finders", "_spec", "last_reason")

    def __init__(self, finders: Mapping[str, _Finder], spec: object | None) -> None:
        self._finders = dict(finders)
        self._spec = spec
        self.last_reason = ""

    @classmethod
    def parse(cls, spec: Spec = DEFAULT_SPEC) -> Identity:
        """Compile a spec. Destinations that a mapping does not name use its `"*"`, else the
        default `header:mqchaos-id`. Raises `UsageError` that names what is allowed."""
        if not isinstance(spec, Mapping):
            finder, written = _compile(spec)
            return cls({ANY: finder}, written)
        made = {str(name): _compile(each) for name, each in {ANY: DEFAULT_SPEC, **spec}.items()}
        texts = {name: text for name, (_, text) in made.items()}
        return cls({n: f for n, (f, _) in made.items()}, None if None in texts.values() else texts)

    def find(self, record: Record) -> Found:
        """The ids of a record, or why it has none, or that it is not mine. Never raises."""
        finder = self._finders.get(record.topic) or self._finders[ANY]
        found = finder(record)
        if not found.ids and found.mine:
            self.last_reason = found.reason
        return found

    def of(self, record: Record) -> tuple[str, ...]:
        """The ids of a record; empty = unidentified or not mine (`find` tells them apart)."""
        return self.find(record).ids

    def spec(self) -> object | None:
        """The spec as JSON-able data, None where a callable cannot be imported by name."""
        return self._spec
