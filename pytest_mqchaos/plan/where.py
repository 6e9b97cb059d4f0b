"""`Where`: the logical place of a rule, as data. It knows selectors, never a protocol's frames."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.nth import Attempt, Nth, check_attempt, check_nth, whole
from pytest_mqchaos.plan.when import DESTINATIONS, All, Either, Not, Predicate, Test

SELECTORS: tuple[str, ...] = (
    *DESTINATIONS, "key", "id", "partition", "client", "group", "api", "attempt", "nth", "when",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A point and what must hold there. Everything left out matches anything.

    `destination` is the topic, queue, stream or subject; `word` is which of these the user wrote.
    `key` is compared as bytes (str as UTF-8), `api` is the protocol's own request name, or several,
    "A|B". `nth` counts distinct messages from 1 (None: every one); `attempt` is the passage of one
    message, 1 = its first. Raises UsageError for a value that cannot be.
    """

    point: Point
    destination: str | None = None
    word: str | None = None
    key: str | bytes | None = None
    id: str | None = None
    partition: int | None = None
    client: str | None = None
    group: str | None = None
    api: str | None = None
    attempt: Attempt = 1
    nth: Nth = None
    when: Predicate | None = None

    @property
    def apis(self) -> tuple[str, ...]:
        """The request names that `api` allows; () where it was left out."""
        return tuple(self.api.split("|")) if self.api else ()

    def __post_init__(self) -> None:
        for name in ("destination", "id", "client", "group", "api"):
            given = getattr(self, name)
            if given is not None and not (isinstance(given, str) and given):
                written = self.word or "topic" if name == "destination" else name
                raise UsageError(f"{written}={given!r}: must be a str that is not empty.")
        if self.key is not None and not isinstance(self.key, str | bytes):
            raise UsageError(f"key={self.key!r}: must be str or bytes.")
        if self.partition is not None and not whole(self.partition, 0):
            raise UsageError(f"partition={self.partition!r}: must be a whole number of 0 or more.")
        check_attempt(self.attempt)
        check_nth(self.nth)
        if self.when is not None and not isinstance(self.when, Test | All | Either | Not):
            raise UsageError(
                f"when={self.when!r}: must be made of where.topic(...), where.header(...) and so "
                "on, joined with &, | and ~. A function cannot be replayed from a token."
            )
        if self.point is Point.CONTROL and self.api is None:
            raise UsageError(
                "on.control() needs the request it means: write on.control(api='Heartbeat')."
            )


def selectors(where: Where) -> dict[str, object]:
    """What was given, under the words that the user wrote, in a fixed order."""
    given: dict[str, object] = {}
    for item in fields(where):
        value = getattr(where, item.name)
        if item.name in ("point", "word") or value == item.default:
            continue
        given[where.word or "topic" if item.name == "destination" else item.name] = value
    return given


def source(where: Where) -> str:
    """The Python that makes it: `on.confirm(topic='orders', nth=2)`."""
    inside = ", ".join(f"{name}={value!r}" for name, value in selectors(where).items())
    return f"on.{where.point}({inside})"
