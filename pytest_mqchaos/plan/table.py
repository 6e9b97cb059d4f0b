"""The shape of a legality table: what one protocol allows, as data. It knows no protocol's facts.

A row is one fault at one point. A row that is missing is refused, not guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, TypeAlias

from pytest_mqchaos.frames import Point

CLUSTERED = "Clustered"  # the ability of a broker to have several nodes at all
FairTo: TypeAlias = Literal["producer", "consumer", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`fault` is its verb. `what` happens on the link, `cause` is what does the same in the real
    world, `fair_to` whose code it tests, `survives` the guarantee that still holds, `reference`
    where the protocol says so, `consequence` what it leads to. `forged`: no real execution shows
    it. `needs`: abilities of the broker. `apis`: requests it is limited to (empty: all);
    `also`: more of them, which few clients send: none is drawn for these.
    `option_needs`: abilities that one argument of the fault needs beyond these, `refused_options`:
    arguments that cannot be given at this point, and why."""

    protocol: str
    point: Point
    fault: str
    what: str
    cause: str
    fair_to: FairTo
    survives: str
    reference: str
    consequence: str
    forged: bool = False
    needs: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    option_needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused_options: Mapping[str, str] = field(default_factory=dict)

    def needed(self, options: Collection[str] = ()) -> tuple[str, ...]:
        """The abilities that the fault needs with these of its arguments given."""
        more = (self.option_needs.get(option, ()) for option in options)
        return tuple(dict.fromkeys(chain(self.needs, *more)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One error that a link may answer at `point` (to `apis`; empty: all of the point). `default`:
    taken when the user names none. `stored`: a broker that says this has taken the request all the
    same, so the faithful form is to forward it and replace the answer."""

    point: Point
    code: int
    name: str
    cause: str
    apis: tuple[str, ...] = ()
    default: bool = False
    stored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One protocol. `word` is what it calls a destination, `apis` its request names by point,
    `group_apis` those that name a consumer group, `caused` the errors that carry broker state
    (code -> name and what to write instead), `instead` what to say about a missing row."""

    protocol: str
    title: str
    word: str
    apis: Mapping[Point, tuple[str, ...]]
    group_apis: frozenset[str]
    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...] = ()
    caused: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    instead: Mapping[tuple[Point, str], str] = field(default_factory=dict)
