"""What a row of the table of reactions is, and the words in which a consequence is told.

A consequence is one line of words, the same for every client and broker, so that two of them are
compared with `==`. It never has a time in it: waiting is "at once" or "after its time-out".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pytest_mqchaos import Plan

TEN = [f"p{n}" for n in range(1, 11)]
EMBEDDED, REAL = "embedded", "process"
PLAIN, IDEMPOTENT = "plain", "idempotent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row: `client` in `mode` under `rule` (code, as a user writes it; several by commas).

    `expected`: every consequence that counts as the same; the first is the one that was measured
    with a proxy of its own before this product was. `settings` go to the client. `brokers`: where
    it can be run. `why` tells what a reader has to know about a difference. `long`: waits for a
    client's own time-outs, half a minute or more.
    """

    section: str
    name: str
    client: str
    mode: str
    rule: str
    run: Callable[[object, Case], str]
    expected: tuple[str, ...]
    settings: dict[str, object] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    brokers: tuple[str, ...] = (EMBEDDED, REAL)
    why: str = ""
    long: bool = False

    @property
    def rules(self):
        """The rules as objects."""
        return Plan.from_text(f"Plan({self.rule})").rules

    @property
    def key(self):
        """A name for it that no other case has."""
        words = [self.section, self.name, self.client, self.mode]
        return "-".join("".join(c if c.isalnum() else "_" for c in w) for w in words if w)


def numbers(ids):
    """Ids as their numbers: p3 -> 3."""
    return [int(one.removeprefix("p")) for one in ids]


def series(ids):
    """`1 2 3 3 4..10`: three or more that follow each other are drawn together."""
    runs = []
    for n in numbers(ids):
        if runs and runs[-1][-1] + 1 == n:
            runs[-1].append(n)
        else:
            runs.append([n])
    return " ".join(
        f"{run[0]}..{run[-1]}" if len(run) > 2 else " ".join(map(str, run)) for run in runs
    )


def shape(ids, wanted=TEN):
    """What differs from run to run is told by its shape: what is missing, copied, overtaken."""
    missing = [one for one in wanted if one not in ids]
    copies = [one for one in wanted if ids.count(one) > 1]
    firsts = list(dict.fromkeys(ids))
    words = [f"{series(missing)} missing" if missing else "every one"]
    words += ["copies"] if copies else []
    words += ["in order" if firsts == sorted(firsts, key=wanted.index) else "another order"]
    return ", ".join(words)


def said(*parts):
    """One line of a consequence."""
    return "; ".join(part for part in parts if part)
