"""Predicates as data: `where.topic("orders") & ~where.header("kind", "test")`.

A small frozen algebra. It knows what can be asked of a message and its link, never how a protocol
says it. Its `repr` is its own source; the tree is flat (a & b & c is one node).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from pytest_mqchaos.errors import UnknownName, UsageError, unknown

Scalar: TypeAlias = str | bytes | int | None
DESTINATIONS = ("topic", "queue", "stream", "subject")


class _Algebra:
    """The operators that every predicate has."""

    __slots__ = ()

    def __and__(self, other: Predicate) -> Predicate:
        return All(parts=_join(All, self, other, "&"))

    def __or__(self, other: Predicate) -> Predicate:
        return Either(parts=_join(Either, self, other, "|"))

    def __invert__(self) -> Predicate:
        assert isinstance(self, Test | All | Either | Not)
        return self.part if isinstance(self, Not) else Not(part=self)

    def __bool__(self) -> bool:
        raise UsageError(
            f"{self!r} has no truth of its own: combine predicates with &, | and ~, "
            "not with and, or and not."
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Test(_Algebra):
    """One question: `name` is one of `QUESTIONS`, `args` what was given."""

    __test__: ClassVar[bool] = False  # pytest must not collect it
    name: str
    args: tuple[Scalar, ...]

    def __repr__(self) -> str:
        args = [arg for arg in self.args if arg is not None]
        return f"where.{self.name}({', '.join(map(repr, args))})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class All(_Algebra):
    """Every part holds."""

    parts: tuple[Predicate, ...]

    def __repr__(self) -> str:
        return " & ".join(f"({p!r})" if isinstance(p, Either) else repr(p) for p in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Either(_Algebra):
    """At least one part holds."""

    parts: tuple[Predicate, ...]

    def __repr__(self) -> str:
        return " | ".join(map(repr, self.parts))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Not(_Algebra):
    """The part does not hold."""

    part: Predicate

    def __repr__(self) -> str:
        return f"~{self.part!r}" if isinstance(self.part, Test) else f"~({self.part!r})"


Predicate: TypeAlias = Test | All | Either | Not


def _join(
    kind: type[All | Either], left: object, right: object, sign: str
) -> tuple[Predicate, ...]:
    parts: list[Predicate] = []
    for side in (left, right):
        if not isinstance(side, Test | All | Either | Not):
            raise UsageError(
                f"{sign} joins predicates such as where.topic('orders'); {side!r} is none."
            )
        parts += side.parts if isinstance(side, kind) else (side,)
    return tuple(parts)


_TEXT: tuple[type, ...] = (str,)
_EITHER_TEXT: tuple[type, ...] = (str, bytes)
QUESTIONS: dict[str, tuple[tuple[type, ...], ...]] = {
    **dict.fromkeys(DESTINATIONS, (_TEXT,)),
    "key": (_EITHER_TEXT,),
    "id": (_TEXT,),
    "partition": ((int,),),
    "client": (_TEXT,),
    "group": (_TEXT,),
    "header": (_TEXT, (str, bytes, type(None))),
    "value_contains": (_EITHER_TEXT,),
}


def question(name: str, args: tuple[Scalar, ...]) -> Test:
    """Make one predicate. Raises UsageError for an unknown name or an argument of a wrong type."""
    if name not in QUESTIONS:
        raise unknown("predicate", f"where.{name}", [f"where.{known}" for known in QUESTIONS])
    kinds = QUESTIONS[name]
    if len(args) != len(kinds) or not all(
        isinstance(given, kind) and not isinstance(given, bool)
        for given, kind in zip(args, kinds, strict=True)
    ):
        shape = ", ".join("|".join(k.__name__ for k in kind) for kind in kinds)
        given = ", ".join(map(repr, args))
        raise UsageError(f"where.{name}({given}): it takes ({shape.replace('NoneType', 'None')}).")
    return Test(name=name, args=args)


class _Where:
    """Where predicates come from."""

    __slots__ = ()

    def topic(self, name: str) -> Predicate:
        """The destination has this name (Kafka, MQTT, RocketMQ)."""
        return question("topic", (name,))

    def queue(self, name: str) -> Predicate:
        """The destination has this name (AMQP, STOMP)."""
        return question("queue", (name,))

    def stream(self, name: str) -> Predicate:
        """The destination has this name (Redis)."""
        return question("stream", (name,))

    def subject(self, name: str) -> Predicate:
        """The destination has this name (NATS)."""
        return question("subject", (name,))

    def key(self, key: str | bytes) -> Predicate:
        """The message has this key (str is compared as UTF-8)."""
        return question("key", (key,))

    def id(self, name: str) -> Predicate:
        """The message has this id."""
        return question("id", (name,))

    def partition(self, partition: int) -> Predicate:
        """The message is on this partition."""
        return question("partition", (partition,))

    def client(self, client: str) -> Predicate:
        """The link is of this client id or worker ("worker-1": any start, "worker-1#2": one)."""
        return question("client", (client,))

    def group(self, group: str) -> Predicate:
        """The frame names this consumer group."""
        return question("group", (group,))

    def header(self, name: str, value: str | bytes | None = None) -> Predicate:
        """The message has this header; with a value, a header of exactly that value."""
        return question("header", (name, value))

    def value_contains(self, part: str | bytes) -> Predicate:
        """The message's value contains these bytes (str as UTF-8)."""
        return question("value_contains", (part,))

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UnknownName(str(unknown("predicate", name, QUESTIONS)))

    def __repr__(self) -> str:
        return "where"


where = _Where()
