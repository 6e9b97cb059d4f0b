"""What stands against any answer: no source of effects at all, something that was not seen,
messages that cannot be told apart or were published past every link.

    Doubt: why the rows do not decide, and what to add

It knows what touches every question; a doubt of one question stands with that question.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mqchaos.checkers import bypassed
from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import Index, index_of

COMPOSITE = 'make the id composite, e.g. id=("json:/order_id", "json:/type")'
SEE_ALL = "let every client use the chaos address (check advertised listeners)"
SHOWN = 50  # findings kept in a verdict; the sentence has the true count


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A reason why the rows do not decide, what to add, and the messages that it is about."""

    sentence: str
    missing: str
    findings: tuple[Finding, ...] = ()


def need_effects(history: History, question: str, *, awaited: bool = False) -> None:
    """A question about effects without any source of effects is a usage error, unless there was
    nothing to do: a handler that is never called records nothing. `awaited`: the test names effects
    that are to be there."""
    if history.effects is not None or (not awaited and _nothing_to_do(history)):
        return
    raise UsageError(
        f"{question} asks about effects, but no effect source was declared. Add one before the "
        "worker starts: chaos.effects.from_sql(dsn, query) with a column `id`, "
        "chaos.effects.from_file(path), chaos.effects.from_topic(name) for what your service "
        f"publishes, or call chaos.effects.record(id) in the handler.{_never_recorded(history)}"
    )


def _nothing_to_do(history: History) -> bool:
    """Whether no message was kept, handed out or owed, and no fault had to happen to one."""
    if history.stored or history.deliveries or not history.read_back:
        return False
    return all(rule.optional for rule in history.rules) and not index_of(history).owed


def _never_recorded(history: History) -> str:
    """Why a handler that records its effects may have recorded none, and what to do then."""
    if history.deliveries:
        return (
            " (If it does, and never came that far: a line `chaos.effects` in the test, before the "
            "worker starts, says that there is a source.)"
        )
    sent = sorted({row.topic for row in history.attempts})
    if not sent:
        return ""
    return (
        f" (If it does: nobody was handed a message of {listed(sent)}. Is that the topic that the "
        "service reads, and did it settle?)"
    )


def gap_touches(history: History) -> bool:
    """Whether something on a judged destination was not seen."""
    flow = history.flow
    judged = flow.inputs | flow.retries | flow.outputs | flow.dead_letters
    return bool(history.gaps) and (not history.gap_topics or bool(judged & history.gap_topics))


def gap_doubts(history: History) -> list[Doubt]:
    """The doubt that touches every question: something was not seen."""
    if not gap_touches(history):
        return []
    return [
        Doubt(
            sentence=f"not everything was seen: {listed(history.gaps)}",
            missing=SEE_ALL,
        )
    ]


def standing_doubts(index: Index) -> list[Doubt]:
    """The doubts that touch every question about ids: gaps, no id, two contents of one id."""
    history = index.history
    doubts = gap_doubts(history)
    nameless, shown = index.nameless
    if nameless:
        doubts.append(
            Doubt(
                sentence=f"{number(nameless, 'message')} without an id: {shown}",
                missing='say where the id stands, e.g. id="json:/order_id" '
                "(a callable returns None for what is not yours)",
            )
        )
    if index.ambiguous:
        doubts.append(_ambiguous(index))
    return doubts


def _ambiguous(index: Index) -> Doubt:
    several = index.given_to_several
    alike = sorted(name for name in several if len(index.ambiguous[name]) == 1)
    if len(alike) == len(index.ambiguous):
        return Doubt(
            sentence=f"{number(len(alike), 'id')} that the test published to several topics: "
            f"{alike[0]!r} to {' and '.join(several[alike[0]])}; whether an effect is of the one "
            "or of the other is not known",
            missing="give each topic's messages ids of their own (id= may be a function of the "
            "record: it has its topic), in the effects too; or say which topic is judged, "
            "chaos.flow(inputs=[...])",
            findings=tuple(
                Finding(id=name, what="ambiguous", text=" and ".join(several[name]))
                for name in alike[:SHOWN]
            ),
        )
    shown = [
        Finding(
            id=name,
            what="ambiguous",
            text=" <> ".join(f"{key!r}: {value!r}" for key, value in contents),
        )
        for name, contents in sorted(index.ambiguous.items())[:SHOWN]
    ]
    where, missing = "", COMPOSITE
    hops = _told_apart_by_topic(index)
    if hops:
        where = f" on {' and '.join(hops)}"
        missing = (
            "say which of them is judged, chaos.flow(inputs=[...]); what a service publishes is an "
            "effect (chaos.effects.from_topic), an output (chaos.flow(outputs=[...])), or has an "
            "id of its own (id={topic: ...})"
        )
    return Doubt(
        sentence=f"{number(len(index.ambiguous), 'id')} with different contents{where}: "
        f"{shown[0].id!r} is {shown[0].text}",
        missing=missing,
        findings=tuple(shown),
    )


def _told_apart_by_topic(index: Index) -> list[str]:
    """The topics, if each of them has one content for each ambiguous id: a pipeline that keeps ids
    from topic to topic, all of them judged."""
    found: set[str] = set()
    for name in index.ambiguous:
        rows = [*index.stories.attempts.get(name, ()), *index.stories.stored.get(name, ())]
        said = {(row.topic, row.content) for row in rows if row.topic in index.inputs}
        topics = {topic for topic, _ in said}
        if len(topics) < len(said):
            return []
        found |= topics
    return sorted(found)


def bypass_doubts(index: Index) -> list[Doubt]:
    """The doubt that touches questions about deliveries and acks: work that no link handed out."""
    said = bypassed.unseen_work(index)
    return [Doubt(sentence=f"{said}: {bypassed.CHECK}", missing=bypassed.CHECK)] if said else []


def foreign_doubts(index: Index, excused: set[str]) -> list[Doubt]:
    """Messages without an effect that no link saw anybody publish: nobody knows what their
    producer was told. `excused` need no effect."""
    ids = bypassed.foreign(index) - index.known_effects - index.owed - excused
    if not ids:
        return []
    return [
        Doubt(
            sentence=f"{number(len(ids), 'stored message')} without an effect, published past "
            f"every link ({listed(sorted(ids))}): nobody saw whether the producer was told that "
            "they are safe",
            missing=bypassed.CHECK,
        )
    ]
