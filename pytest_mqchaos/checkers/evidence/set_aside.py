"""Whether what a test declares a dead letter is one, and where else a message was put by who was
handed it: the two ways in which a test's words about dead letters miss what the service does.

A declared dead letter is accounted for if it lies among the dead letters (or was confirmed there),
or where no destination was named for them: then nobody can look. It never judges a message.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.doubts import Doubt
from pytest_mqchaos.checkers.evidence.later_stages import works, works_surely
from pytest_mqchaos.checkers.evidence.moved_on import (
    arrived,
    readers,
    redriven,
    sent_by_its_reader,
)
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.story import Story


def declared(index: Index, owed: set[str]) -> tuple[frozenset[str], list[Doubt]]:
    """The ids that the test accounts for, and the doubt if of `owed` declared dead letters nothing
    is there, but dead letters that nobody knows are."""
    said, flow = index.history.expected, index.history.flow
    known = said.expired | said.dropped | said.ignored
    stories = [index.story(name) for name in sorted(said.dead_lettered - known)]
    back = {story.id for story in stories if redriven(index, story)}
    missing: set[str] = set()
    if flow.dead_letters and index.history.read_back:
        done = index.known_effects
        missing = {s.id for s in stories if s.id in owed - done - back and not _there(s)}
    held = {s.id for s in index.history.stored if s.topic in flow.dead_letters}
    strange = sorted((held - index.first.keys() - index.stored_ids) - {None}, key=str)
    if not (missing and (strange or None in held)):
        return said.all() - back - missing, []
    doubt = Doubt(
        sentence=f"{number(len(missing), 'declared dead letter')} ({listed(sorted(missing))}) not "
        f"to be found by its id; the dead letters have {listed(strange or ['some without an id'])}",
        missing="let the service keep the id in its dead letters, or say where it stands there: "
        "id={topic: ...}",
    )
    return said.all() - back, [doubt]


def _there(story: Story) -> bool:
    return bool(story.dead) or any(a.outcome == "confirmed" for a in story.dead_attempts)


def elsewhere(index: Index, story: Story) -> str:
    """What to say of a message that its reader published to a destination without a role, or that
    is declared a dead letter and is none; "" for any other."""
    flow = index.history.flow
    roles = flow.inputs | flow.retries | flow.outputs | flow.dead_letters
    sent = [
        a for a in index.stories.attempts.get(story.id, ())
        if a.topic not in roles and arrived(a)
        and any(sent_by_its_reader(a, d) for d in story.deliveries)
    ]  # fmt: skip
    if sent:
        topic = sent[0].topic
        stage, sure = _next_stage(index, story.id, {attempt.topic for attempt in sent})
        if sure and story.id not in index.history.expected.dead_lettered:
            return stage
        return (f"{stage}; " if stage else "") + (
            f"{sent[0].owner} published it to {topic}, of which the test says nothing: if it is "
            f"set aside there, chaos.flow(dead_letters=[{topic!r}]) and chaos.expect(dead_lettered="
            f"[{story.id!r}]); if that is its effect, chaos.effects.from_topic({topic!r})"
        )
    if story.id in index.history.expected.dead_lettered and flow.dead_letters:
        return (
            f"it is declared a dead letter, but {listed(sorted(flow.dead_letters))} does not hold "
            "it: publish it there, wait for the confirm, then ack (or mend the name in chaos.flow)"
        )
    return ""


def _next_stage(index: Index, name: str, topics: set[str]) -> tuple[str, bool]:
    """What to say where a group that works reads one of these topics, a stage of its own; and
    whether it is one for certain."""
    given = index.stories.deliveries.get(name, ())
    rows = [row for row in given if row.reached and row.topic in topics and row.group is not None]
    handed = [(row.owner, row.topic, row.group or "") for row in rows]
    for owner, topic, group in reversed(handed):
        if works(index, group):
            said = f"{owner} was handed it on {topic}: let {group} ack only after the work"
            return said, works_surely(index, group)
    for topic in sorted(topics):
        for group in sorted(readers(index).get(topic, ())):
            if works(index, group):
                said = f"it was passed on to {topic}, and {group} was not handed it there"
                return f"{said}: begin at earliest", works_surely(index, group)
    return "", False
