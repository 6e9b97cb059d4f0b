"""Many conversations, both brokers, what differed, and the figures of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from differential import embedded
from differential.compare import Difference
from differential.conversation import Conversation
from differential.players import SURELY, Answer
from differential.real import Kafka
from differential.script import Script
from differential.shrink import shrunk
from differential.verdict import judged, unlisted

CHUNK = 25  # conversations whose topics are made in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A kind of difference: how often, and the shortest conversation that shows it."""

    kind: str
    difference: Difference
    script: Script
    count: int


@dataclass(slots=True, kw_only=True)
class Figures:
    """Of one campaign. `listed` counts conversations that showed a known difference, by reason;
    `varies` has those where Kafka disagreed with itself: what, and how often it agreed with us."""

    conversations: int = 0
    requests: int = 0
    covered: set[tuple[str, int]] = field(default_factory=set)
    codes: set[tuple[str, str]] = field(default_factory=set)
    listed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    varies: list[tuple[Difference, int]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def run(
    kafka: Kafka, conversations: Sequence[Conversation], figures: Figures,
    heard: Callable[[int], None] = lambda _: None,
) -> list[Found]:  # fmt: skip
    """Play them all; each kind of unknown difference comes with its shortest conversation. `heard`
    is told now and then how many were played."""
    kinds: dict[str, list[Conversation]] = defaultdict(list)
    for at in range(0, len(conversations), CHUNK):
        chunk = conversations[at : at + CHUNK]
        for conversation, prefix in zip(chunk, kafka.prepare(chunk), strict=True):
            told = both(kafka, conversation, prefix, figures)
            if told is not None:
                kinds[told.kind()].append(conversation)
        heard(figures.conversations)
    return [_found(kafka, kind, shown) for kind, shown in kinds.items()]


def both(
    kafka: Kafka, conversation: Conversation, prefix: str, figures: Figures
) -> Difference | None:
    """Play one on both; the difference, if it is a fault."""
    conversation = _served(kafka, conversation)
    figures.conversations += 1
    figures.requests += len(conversation.steps)
    try:
        ours = embedded.play(conversation)
    except embedded.Failed as error:
        figures.failures.append(f"{conversation.family}: {error}")
        return None
    theirs = kafka.play(conversation, prefix, ours)
    _count(figures, conversation, theirs)
    verdict = judged(conversation, ours, theirs, lambda: _real(kafka, conversation, ours))
    for why in set(verdict.listed):
        figures.listed[why] += 1
    if verdict.varies is not None:
        figures.varies.append((verdict.varies, verdict.agreed))
    return verdict.fault


def _served(kafka: Kafka, conversation: Conversation) -> Conversation:
    """Without requests that this Kafka does not serve."""
    steps = [step for step in conversation.steps if kafka.serves(step.api, step.version)]
    return Conversation(
        family=conversation.family, topics=conversation.topics, steps=steps,
        nodes=conversation.nodes,
    )  # fmt: skip


def _found(kafka: Kafka, kind: str, shown: Sequence[Conversation]) -> Found:
    """The shortest conversation of a kind, and Kafka's answers to it."""
    start = min(shown, key=lambda each: len(each.steps))

    def differs(conversation: Conversation) -> Difference | None:
        try:
            ours = embedded.play(conversation)
        except embedded.Failed:
            return None
        return unlisted(conversation, ours, _real(kafka, conversation, ours))[0]

    ours = embedded.play(start)
    told = differs(start)
    if told is not None and told.kind() == kind:

        def shows(shorter: Conversation) -> bool:
            other = differs(shorter)
            return other is not None and other.kind() == kind

        # What made them answer differently may have come later, where the request had to wait.
        last = max(told.number, ours[told.number].after)
        start = shrunk(start, shows, last)
    ours = embedded.play(start)
    theirs = _real(kafka, start, ours)
    told, _ = unlisted(start, ours, theirs)
    script = Script(why=kind, kafka=kafka.version, conversation=start, answers=theirs)
    gone = Difference(-1, "", 0, "did not show again", None, None)
    return Found(kind=kind, difference=told or gone, script=script, count=len(shown))


def _real(kafka: Kafka, conversation: Conversation, ours: Sequence[Answer]) -> list[Answer]:
    (prefix,) = kafka.prepare([conversation])
    return kafka.play(conversation, prefix, ours, SURELY)


def _count(figures: Figures, conversation: Conversation, answers: Iterable[Answer]) -> None:
    for step, answer in zip(conversation.steps, answers, strict=True):
        figures.covered.add((step.api, step.version))
        figures.codes |= {(step.api, code) for code in _codes(answer.what)}


def _codes(what: object) -> Iterable[str]:
    if isinstance(what, dict):
        for name, value in what.items():
            if name == "error_code":
                yield str(value)
            else:
                yield from _codes(value)
    elif isinstance(what, list):
        for each in what:
            yield from _codes(each)
