"""The rows of the one timeline: what was seen, in the field's words, without any protocol.

Every `t` is CLOCK_MONOTONIC in ns, taken at receipt, before anything was forwarded; `seq` orders
the rows that one data plane saw. `owner` names the incarnation a link belongs to ("worker-1#2",
"publisher", "test"). Rows are tuples because a run may hold millions of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

PublishOutcome: TypeAlias = Literal["confirmed", "refused", "unknown"]
AckOutcome: TypeAlias = Literal["confirmed", "refused", "unknown"]
PUBLISHER = "publisher"  # owner of the links of our own publisher
TEST = "test"  # owner of links that no worker made


def worker_of(owner: str | None) -> str:
    """The worker that an incarnation is one of: "worker-1" for "worker-1#2"; any other owner is
    itself, nobody is ""."""
    return (owner or "").partition("#")[0]


class Attempt(NamedTuple):
    """One message in one publish frame and how that ended.

    `id` is None where identity found none; `content` is a digest of key and value. `outcome` is
    what the *producer* was told: confirmed = the confirm left the link towards it; a time-out or a
    lost confirm is unknown. `acks` 0 has no confirm: its outcome is unknown, `sent` is what counts.
    `reached`: the frame was let through to the broker. `end_seq` / `end_t` are the outcome's
    (0 while unknown), `offset` is the broker's, -1 if not told.
    """

    seq: int
    t: int
    link: int
    owner: str
    client: str | None
    topic: str
    partition: int
    id: str | None
    key: bytes | None
    value: bytes | None
    content: bytes
    acks: int
    reached: bool
    outcome: PublishOutcome
    end_seq: int
    end_t: int
    offset: int
    error: int
    producer_id: int
    sequence: int
    transactional_id: str | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Delivery(NamedTuple):
    """One message handed to a client. `reached`: the frame was let through to it. `group` is None
    when the link's owner acks for no group or for several."""

    seq: int
    t: int
    link: int
    owner: str
    group: str | None
    topic: str
    partition: int
    offset: int
    id: str | None
    key: bytes | None
    value: bytes | None
    content: bytes
    reached: bool
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Ack(NamedTuple):
    """A position that a client asked to keep: everything below `offset` is done for `group`.

    `reached`: it was let through to the broker. `outcome` confirmed = the broker took it
    (whether or not the client heard), refused = the broker said `error`, else unknown.
    """

    seq: int
    t: int
    link: int
    owner: str
    group: str
    member: str | None
    topic: str
    partition: int
    offset: int
    reached: bool
    outcome: AckOutcome
    end_seq: int
    end_t: int
    error: int


class Stored(NamedTuple):
    """One record of the broker's log, read back at the end (data records only, committed view)."""

    topic: str
    partition: int
    offset: int
    id: str | None
    key: bytes | None
    value: bytes | None
    content: bytes


class Place(NamedTuple):
    """Where a group stands on a partition at the end. `committed` is -1 for none; `start` and `end`
    are log start and high watermark; `active` counts the group's live members, None = not known."""

    group: str
    topic: str
    partition: int
    committed: int
    start: int
    end: int
    active: int | None


class Effect(NamedTuple):
    """What the code under test did to the world, once. It happened in [t_from, t_to] (equal when
    the instant is known; both 0 when nothing about time is known); `order` is the source's own
    order, None if it has none. `by` is the subscriber, `part` one of several effects of a message.
    `countable`: the source can hold one id twice (False for a primary key, GROUP BY, a map).
    `gone`: the source showed it and does not show it any more: it went in [gone_from, gone_to] (0:
    not known). `source` is where it was seen, None where all were seen in one place: effects of one
    id without a part in two sources may be two parts of its work, or the same work twice. `keyed`:
    the source may hold one row for each key, the last (False where it is known not to)."""

    order: int | None
    t_from: int
    t_to: int
    id: str
    part: str | None
    by: str | None
    key: str | None
    value: object
    owner: str | None
    posthumous: bool
    countable: bool
    gone: bool = False
    source: str | None = None
    gone_from: int = 0
    gone_to: int = 0
    keyed: bool = True


class Handled(NamedTuple):
    """A handler said that it starts on this message (`effects.attempt(id)`)."""

    t: int
    id: str
    owner: str | None


class Accepted(NamedTuple):
    """The service told its own caller that this message is safe."""

    t: int
    id: str


class Unconfirmed(NamedTuple):
    """A message that the test itself published, and that nobody told it is safe; `error` is what
    its client said last."""

    id: str | None
    error: str


FINAL_DRAIN = "restarted for the final drain"  # cause of a process event
RUNS = ("started", "restarted")  # the last event of a process that runs


class ProcessEvent(NamedTuple):
    """A worker or broker process: started, crashed, ended, stopped, restarted, healed."""

    t: int
    who: str
    what: str
    cause: str


class RuleEvent(NamedTuple):
    """One step in a rule's life: armed, triggered, took effect, unharmed, healed."""

    seq: int
    t: int
    rule: int
    what: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """One rule at the end: `source` is its own Python source, `cause` the real-world cause,
    `fired` counts took effect, `matched` the distinct messages that it counted."""

    source: str
    cause: str
    fired: int
    matched: int
    optional: bool
    reasons: tuple[str, ...] = ()
