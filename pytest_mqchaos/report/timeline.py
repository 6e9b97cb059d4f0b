"""One finding as a short timeline: its moments beside the faults, in columns.

    heading   ── pay-3 · lost · delivered, no effect, acked ─────
    message   key acct-1 · value {"amount": 10}
    rows         -0.8 ms │ worker-1#1  delivered payments-0@2 to billing
                  0.0 ms ┿ rule 1      took effect: ...

Lines stay within the report's width; a long story keeps its two ends.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import index_of
from pytest_mqchaos.history.rows import Attempt, Delivery, Stored
from pytest_mqchaos.history.story import Story
from pytest_mqchaos.report.context import Context
from pytest_mqchaos.report.layout import INDENT, WIDTH, heading, wrapped
from pytest_mqchaos.report.moments import LOG, PLAIN, Moment, around, base, known_ids, of_message
from pytest_mqchaos.report.redact import Redactor, cut

MESSAGES = 5  # findings shown in full
ROWS = 18  # lines of one timeline
LOGS = 8  # lines of the worker's own output in one timeline
NAMED = 12  # further ids that are only named
WHO = 16  # columns of a name
LONG = 10_000_000_000  # ns; from here on an instant is told in seconds

_TOLD_BY_ROWS = frozenset({"lost", "skipped", "parked", "no effect"})
_SEVERAL = frozenset({"out of order", "before its cause", "no cause"})
_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"")


def timelines(
    findings: tuple[Finding, ...], history: History, context: Context, *, told: str = ""
) -> list[str]:
    """The worst findings in full, the rest by name. What was `told` already is not said again."""
    lines: list[str] = []
    for finding in findings[:MESSAGES]:
        lines += ["", *timeline(finding, history, context, told=told)]
    rest = list(dict.fromkeys(finding.id for finding in findings[MESSAGES:]))
    if rest:
        names = ", ".join(rest[:NAMED]) + (" …" if len(rest) > NAMED else "")
        lines += ["", *wrapped(f"and {len(rest)} more: {names}", first=INDENT, rest=INDENT * 2)]
    return lines


def timeline(finding: Finding, history: History, context: Context, *, told: str = "") -> list[str]:
    """One finding: heading, the message, its rows."""
    redact = Redactor.of(context)
    stories = [_story(history, name, finding.by) for name in _ids(finding, history)]
    payloads = [each for story in stories for each in _payloads(story)]
    who = f"for {finding.by}" if finding.by else ""
    lines = [heading(cut(finding.id, 40), finding.what, cut(finding.where, 50), who)]
    moments = _moments(stories, history, context, redact)
    new = finding.text not in told
    if new and (finding.what not in _TOLD_BY_ROWS or not moments):
        lines += wrapped(redact.mask(finding.text, payloads), first=INDENT)
    lines += [INDENT + _shown(story, redact, named=len(stories) > 1) for story in stories]
    since = base(history)
    return lines + _rows(moments, since, redact)


def _story(history: History, name: str, by: str | None) -> Story:
    """One id's rows for one subscriber. Effects that name nobody stay in: a group acks, a table
    has no `by`, and "no effect" would be untrue."""
    index = index_of(history)
    story = index.story(name, by)
    if by is None:
        return story
    mine = (effect for effect in index.stories.effects.get(name, ()) if effect.by in (None, by))
    return story._replace(effects=tuple(mine))


def _ids(finding: Finding, history: History) -> list[str]:
    """The messages that a finding is about: its id, those of its key, and, where it speaks of
    several, those that its text quotes."""
    known = known_ids(history)
    ids = [finding.id] if finding.id in known else []
    if not ids:
        key = finding.id.encode()
        ids = list(dict.fromkeys(a.id for a in history.attempts if a.key == key and a.id))[:4]
    if finding.what in _SEVERAL:
        named = (one or other for one, other in _QUOTED.findall(finding.text))
        ids += [word for word in named if word in known]
    return list(dict.fromkeys(ids))[:4]


def _payloads(story: Story) -> list[bytes | None]:
    rows: tuple[Attempt | Delivery, ...] = (*story.attempts, *story.deliveries)
    return [each for row in rows for each in (row.key, row.value)]


def _shown(story: Story, redact: Redactor, *, named: bool) -> str:
    """Key and value of the message, once."""
    rows: tuple[Attempt | Stored | Delivery, ...]
    rows = (*story.attempts, *story.stored, *story.deliveries)
    name = f"{story.id}: " if named else ""
    if not rows:
        return f"{name}nobody was seen to publish it"
    key, value = redact.payload(rows[0].key, length=24), redact.payload(rows[0].value, length=56)
    return cut(f"{name}key {key} · value {value}", WIDTH - len(INDENT))


def _moments(
    stories: list[Story], history: History, context: Context, redact: Redactor
) -> list[Moment]:
    """The stories of all ids in one line of time, with what happened around them."""
    found = _together({story.id: of_message(history, story, context) for story in stories})
    instants = [moment.t for moment in found if moment.t is not None]
    if not instants:
        return found
    owners = frozenset(moment.who for moment in found if moment.who)
    timed = [moment for moment in found if moment.t is not None]
    timed += around(history, min(instants), owners)
    timed += _logs(context, owners, min(instants), redact)
    timed.sort(key=lambda moment: (moment.t or 0, moment.mark == LOG, moment.order))
    return timed + [moment for moment in found if moment.t is None]


def _together(stories: dict[str, list[Moment]]) -> list[Moment]:
    """The moments of several messages, each with its id before it unless it is of all of them."""
    if len(stories) == 1:
        return next(iter(stories.values()))
    common = Counter(moment for moments in stories.values() for moment in moments)
    found: dict[Moment, None] = {}
    for name, moments in stories.items():
        for moment in moments:
            shared = moment.t is not None and common[moment] == len(stories)
            text = moment.text if shared else f"{name}: {moment.text}"
            found.setdefault(moment._replace(text=text))
    return list(found)


def _logs(
    context: Context, owners: frozenset[str], first: int, redact: Redactor
) -> Iterable[Moment]:
    """The last lines that the workers involved wrote themselves."""
    lines = [line for line in context.logs if line.who in owners and line.t >= first][-LOGS:]
    return [Moment(line.t, 0, LOG, line.who, redact.text(line.text)) for line in lines]


def _rows(moments: list[Moment], since: tuple[int, str] | None, redact: Redactor) -> list[str]:
    """Columns: instant, mark, who, what; the middle of a long story is left out."""
    if not moments:
        return [f"{INDENT}nothing was seen of it"]
    zero = since[0] if since else next((m.t for m in moments if m.t is not None), 0)
    room = min(max(len(moment.who) for moment in moments), WHO)
    rows = [_row(moment, zero, room, redact) for moment in moments]
    if len(rows) > ROWS:
        head, tail = ROWS // 2, ROWS - ROWS // 2 - 1
        gap = f"{'':>12} {PLAIN} … {len(rows) - head - tail} rows left out …"
        rows = [*rows[:head], [gap], *rows[-tail:]]
    return [line for row in rows for line in row]


def _row(moment: Moment, zero: int, room: int, redact: Redactor) -> list[str]:
    """One moment; a long one goes on in its own column, a worker's own line is cut."""
    at = "" if moment.t is None else instant(moment.t - zero)
    text = redact.text(moment.text)
    head = f"{at:>12} {moment.mark} {cut(moment.who, room):<{room}}  "
    if moment.mark == LOG:
        return [cut(head + text, WIDTH).rstrip()]
    return wrapped(text, first=head, rest=f"{'':>12} {PLAIN} {'':<{room}}    ")


def instant(difference: int) -> str:
    """`+3.1 ms` from nanoseconds; above ten seconds in seconds."""
    if abs(difference) >= LONG:
        return f"{difference / 1e9:+.2f} s"
    shown = f"{difference / 1e6:+.1f} ms"
    return "0.0 ms" if shown in ("+0.0 ms", "-0.0 ms") else shown
