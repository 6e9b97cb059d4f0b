"""Did an effect ever precede the effect of the message that it names as its cause?

Only effects are asked, so a proven inversion stays proven in spite of a gap. An effect whose cause
has none is unknown (that may be a loss: ask lossless), so is a pair without order and times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from pytest_mqchaos.checkers.answer import answer
from pytest_mqchaos.checkers.doubts import SHOWN, Doubt, need_effects, standing_doubts
from pytest_mqchaos.checkers.evidence.keys import record_of
from pytest_mqchaos.checkers.evidence.pending import pending_doubts
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict
from pytest_mqchaos.checkers.wording import number
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Record
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.identity import Identity, Spec, as_id
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import Effect


def causal(*, before: Spec, after: Iterable[str] | Callable[[str], bool] | None = None) -> Checker:
    """The effect of a message never precedes the effect of the one that it names.

    `before`: id -> id of its cause or None (a mapping), or a spec of identity that finds the
    cause's id in the message ("json:/caused_by", a callable Record -> id or None). `after`: the ids
    (or a predicate on ids) that are asked; default: every message that names a cause.
    """
    if isinstance(after, str):
        raise UsageError(f"causal(after={after!r}): give a collection of ids, e.g. [{after!r}].")
    asked = after if callable(after) or after is None else frozenset(map(as_id, after))
    causes = _causes(before)

    def check(history: History) -> Verdict:
        need_effects(history, "causal")
        index = index_of(history)
        pairs = 0
        failed: list[Finding] = []
        unsure: list[Finding] = []
        for name in sorted(index.stories.effects.keys() - index.ambiguous.keys()):
            if asked is not None and not (_says(asked, name) if callable(asked) else name in asked):
                continue
            for cause in causes(index, name):
                pairs += 1
                for by in index.subscribers:
                    _compare(index, cause, name, by, failed, unsure)
        doubts = standing_doubts(index) + pending_doubts(index)
        if unsure:
            doubts.append(
                Doubt(
                    sentence=f"{number(len(unsure), 'pair')} not decided: {unsure[0].text}",
                    missing="give effects an order (or times), and ask lossless about the cause",
                    findings=tuple(unsure[:SHOWN]),
                )
            )
        return answer(
            "causal",
            index,
            population={**index.funnel, "pairs": pairs},
            size=pairs,
            passed=f"{number(pairs, 'effect')} after the effect of the cause",
            failed=failed,
            sentence=f"{len(failed)} of {number(pairs, 'effect')} before the effect of the cause: "
            f"{failed[0].text if failed else ''}",
            doubts=doubts,
            advice="send cause and effect over one partition, or wait for the cause",
            nothing="no effect of a message that names a cause",
            add="say how a message names its cause: before=...",
        )

    return check


def _says(after: Callable[[str], bool], name: str) -> bool:
    try:
        return after(name)
    except Exception as error:
        raise UsageError(
            f"causal(after=...) raised {type(error).__name__}: {error}, for the id {name!r}: it "
            "must take any id that took effect and say whether it is asked"
        ) from error


def _causes(before: Spec) -> Callable[[Index, str], tuple[str, ...]]:
    """A function from an id to those of its causes."""
    if isinstance(before, Mapping):
        if None in before:
            raise UsageError(
                f"causal(before={before!r}): one of the messages is None; give the id of each, "
                "with that of its cause, or None if it has none"
            )
        said = {as_id(i): as_id(cause) for i, cause in before.items() if cause is not None}
        return lambda _, name: (said[name],) if name in said else ()
    of = partial(_called, before) if callable(before) else Identity.parse(before).of

    def found(index: Index, name: str) -> tuple[str, ...]:
        rows = index.stories.attempts.get(name) or index.stories.stored.get(name)
        return of(record_of(rows[0])) if rows else ()

    return found


def _called(before: Callable[[Record], object], record: Record) -> tuple[str, ...]:
    """What the user's function says of a message. One that fails has not said that there is no
    cause, as `Identity` would have it."""
    try:
        answer = before(record)
    except Exception as error:
        raise UsageError(
            f"causal(before=...) raised {type(error).__name__}: {error}, for {record!r}: it must "
            "take any Record that took effect and give the id of its cause, or None if it has none"
        ) from error
    if answer is None:
        return ()
    return tuple(map(as_id, answer if isinstance(answer, list | tuple) else [answer]))


def _compare(
    index: Index, cause: str, name: str, by: str | None,
    failed: list[Finding], unsure: list[Finding],
) -> None:  # fmt: skip
    late = [e for e in index.stories.effects[name] if by is None or e.by == by]
    early = [e for e in index.stories.effects.get(cause, ()) if by is None or e.by == by]
    if not late:
        return
    if not early:
        text = f"{name!r} took effect, {cause!r} did not"
        unsure.append(Finding(id=name, what="no cause", text=text, by=by))
        return
    verdict = _precedes(late, early)
    alive = _precedes([e for e in late if not e.posthumous], [e for e in early if not e.posthumous])
    text = f"{name!r} took effect before {cause!r}"
    if verdict != alive:
        unsure.append(Finding(id=name, what="posthumous", text=text, by=by))
    elif verdict is None:
        text = f"no order between {name!r} and {cause!r}"
        unsure.append(Finding(id=name, what="no order", text=text, by=by))
    elif verdict:
        failed.append(Finding(id=name, what="before its cause", text=text, by=by))


def _precedes(ones: Sequence[Effect], others: Sequence[Effect]) -> bool | None:
    """Whether the first of `ones` happened before the first of `others`; None = not known. Without
    an order rows come as they like: then the earliest of each side is looked for by time."""
    if not ones or not others:
        return None
    one, other = _place(ones), _place(others)
    if one is not None and other is not None and one != other:
        return one < other
    if not all(effect.t_to for effect in (*ones, *others)):
        return None
    if min(e.t_to for e in ones) < min(e.t_from for e in others):
        return True
    return False if min(e.t_to for e in others) < min(e.t_from for e in ones) else None


def _place(effects: Sequence[Effect]) -> int | None:
    """The first place in the source's order, None if one of them has none."""
    places = [effect.order for effect in effects if effect.order is not None]
    return min(places) if len(places) == len(effects) else None
