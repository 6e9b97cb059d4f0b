"""What the data plane wrote beside the frames: owners of links, fates of held frames, rules' lives.

It knows the kinds of notes and nothing of protocols. Notes are read before any frame, because what
became of a frame is written after the frame itself.

    link, closed        whose connection it is; that it has ended
    closing             from where on its owner is stopping
    fate, answered      what became of a held frame, what we said in the broker's place
    rule                one step in a rule's life
    broker              what befell a broker, or who leads a partition from here on
    topics              names of destinations that frames mention by id alone
    blind, undecoded    what was not seen: it makes gaps
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_mqchaos.errors import PeerError
from pytest_mqchaos.history.rows import ProcessEvent, RuleEvent
from pytest_mqchaos.history.spool import NoteEntry


class Fate(NamedTuple):
    """What became of one held frame (`what`: forwarded, swallowed, replaced), at `seq` / `t`; `by`
    is the rule that decided it, None if no rule did."""

    what: str
    by: int | None
    seq: int
    t: int


class Answer(NamedTuple):
    """A reply that we made ourselves: its error code for every partition."""

    code: int
    seq: int
    t: int


@dataclass(slots=True, kw_only=True)
class Remarks:
    """Every note, by what it is about. `answers` is by the seq of the request; `closing` says from
    which seq on the frames of an owner belong to its shutdown; `opened` and `closed` are the seqs
    of a link's own notes; `others` were only kept."""

    owners: dict[int, str] = field(default_factory=dict)
    opened: dict[int, int] = field(default_factory=dict)
    closed: dict[int, int] = field(default_factory=dict)
    fates: dict[int, Fate] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)
    rule_events: list[RuleEvent] = field(default_factory=list)
    topics: dict[bytes, str] = field(default_factory=dict)
    blind: dict[int, str] = field(default_factory=dict)
    undecoded: dict[int, str] = field(default_factory=dict)
    closing: dict[str, int] = field(default_factory=dict)
    brokers: list[ProcessEvent] = field(default_factory=list)
    others: list[NoteEntry] = field(default_factory=list)

    def add(self, note: NoteEntry) -> None:
        """File one note. Raises `PeerError` for a note of a known kind that lacks what it needs."""
        file = _FILES.get(str(note.body.get("note")))
        if file is None:
            self.others.append(note)
        else:
            file(self, note)

    def owner(self, link: int) -> str:
        """Whose link this is; a link that nobody introduced is named by its number."""
        return self.owners.get(link) or f"link {link}"


def _number(note: NoteEntry, name: str) -> int:
    value = note.body.get(name)
    if not isinstance(value, int):
        raise PeerError(
            f"history note {note.seq} ({note.body.get('note')!r}) needs a whole number {name!r}, "
            f"found {value!r}: was it written by another version of pytest-mqchaos?"
        )
    return value


def _rule(note: NoteEntry, name: str) -> int | None:
    return None if note.body.get(name) is None else _number(note, name)


def _link(remarks: Remarks, note: NoteEntry) -> None:
    link = _number(note, "link")
    remarks.owners[link] = str(note.body.get("owner"))
    remarks.opened[link] = note.seq


def _closed(remarks: Remarks, note: NoteEntry) -> None:
    remarks.closed[_number(note, "link")] = note.seq


def _fate(remarks: Remarks, note: NoteEntry) -> None:
    what = str(note.body.get("fate"))
    remarks.fates[_number(note, "frame")] = Fate(what, _rule(note, "by"), note.seq, note.t)


def _answered(remarks: Remarks, note: NoteEntry) -> None:
    answer = Answer(_number(note, "code"), note.seq, note.t)
    remarks.answers[_number(note, "frame")] = answer


def _rule_event(remarks: Remarks, note: NoteEntry) -> None:
    what, text = str(note.body.get("what")), str(note.body.get("text") or "")
    remarks.rule_events.append(RuleEvent(note.seq, note.t, _number(note, "rule"), what, text))


def _broker(remarks: Remarks, note: NoteEntry) -> None:
    who, what, why = (str(note.body.get(name) or "") for name in ("who", "what", "why"))
    remarks.brokers.append(ProcessEvent(note.t, who, what, why))


def _topics(remarks: Remarks, note: NoteEntry) -> None:
    names = note.body.get("names")
    wanted = f"history note {note.seq} ('topics') needs names by id in hex, found {names!r}"
    if not isinstance(names, Mapping):
        raise PeerError(wanted)
    try:
        remarks.topics.update({bytes.fromhex(key): str(name) for key, name in names.items()})
    except ValueError:
        raise PeerError(wanted) from None


def _blind(remarks: Remarks, note: NoteEntry) -> None:
    remarks.blind[_number(note, "link")] = str(note.body.get("why"))


def _undecoded(remarks: Remarks, note: NoteEntry) -> None:
    remarks.undecoded[_number(note, "frame")] = str(note.body.get("why"))


def _closing(remarks: Remarks, note: NoteEntry) -> None:
    remarks.closing.setdefault(str(note.body.get("owner")), note.seq)


_FILES: dict[str, Callable[[Remarks, NoteEntry], None]] = {
    "link": _link,
    "closed": _closed,
    "fate": _fate,
    "answered": _answered,
    "rule": _rule_event,
    "broker": _broker,
    "topics": _topics,
    "blind": _blind,
    "undecoded": _undecoded,
    "closing": _closing,
}
