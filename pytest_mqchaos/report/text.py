"""The text that a person reads first: failure, doubt, unfired rule, no question, pass.

    1 sentence   2 funnel   3 timelines   4 what was broken   5 the fix   6 the replay line

It knows verdicts and rows and must never change what they say. Plain text of 100 columns; colour is
for whoever prints it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_mqchaos.checkers.verdict import Finding, Verdict, worst
from pytest_mqchaos.history.history import History
from pytest_mqchaos.report.context import Context, LogLine
from pytest_mqchaos.report.funnel import SEPARATOR, funnel
from pytest_mqchaos.report.layout import INDENT, labelled, wrapped
from pytest_mqchaos.report.moments import base
from pytest_mqchaos.report.plan import plan, surroundings, unfired_advice
from pytest_mqchaos.report.redact import Redactor
from pytest_mqchaos.report.timeline import timelines

__all__ = ["Context", "LogLine", "failure", "no_question", "passed", "uncovered", "unfired"]

LIMITS = 6  # sentences about what was not covered


def failure(verdict: Verdict, history: History, context: Context) -> str:
    """The whole text of a verdict that did not pass (failed or unknown)."""
    redact = Redactor.of(context)
    hidden = [row.value for row in history.attempts] if context.payloads == "hash" else []
    lines = wrapped(redact.mask(_sentence(verdict), hidden), rest=INDENT)
    lines += ["", *wrapped(funnel(history), first=INDENT), *_parts(verdict)]
    findings = _findings(verdict)
    if findings:
        lines += timelines(findings, history, context, told=verdict.sentence)
        lines += ["", f"{INDENT}{_clock(history)}"]
    lines += ["", *plan(history, context)]
    for label, text in surroundings(context):
        lines += labelled(label, redact.text(text))
    lines += ["", *_closing(verdict, history, context, redact)]
    return "\n".join(lines).rstrip()


def passed(
    verdicts: Iterable[Verdict], history: History, context: Context, *, profile: str = "",
    limits: bool = True,
) -> str:  # fmt: skip
    """One line: which questions passed, which rules took effect, what was looked at, and (unless
    `limits` is False) what the pass does not cover."""
    asked = list(verdicts)
    fired = sum(1 for rule in history.rules if rule.fired)
    rules = f"{fired} of {len(history.rules)} rules took effect" if history.rules else "no rule"
    words = [f"{profile or 'mqchaos'}: {_answers(asked)}", rules, *_population(asked)]
    told = uncovered(asked, context) if limits else ()
    if told:
        words.append("not covered: " + "; ".join(told))
    return Redactor.of(context).text(SEPARATOR.join(words))


def _answers(asked: list[Verdict]) -> str:
    """Each question with its status ("a, b passed, c failed"): a failure may be expected."""
    last = {verdict.question: verdict.status for verdict in asked}
    statuses = sorted(set(last.values()), key=["passed", "failed", "unknown"].index)
    told = [f"{', '.join(q for q in last if last[q] == status)} {status}" for status in statuses]
    return ", ".join(told) or "nothing asked"


def uncovered(verdicts: Iterable[Verdict], context: Context) -> tuple[str, ...]:
    """What passes of these verdicts do not cover, each sentence once."""
    found = dict.fromkeys(limit for verdict in verdicts for limit in _limits(verdict))
    redact = Redactor.of(context)
    return tuple(redact.text(limit) for limit in list(found)[:LIMITS])


def unfired(history: History, context: Context) -> str:
    """Rules that never took effect and had to: the test did not test what it says."""
    must = [rule for rule in history.rules if not rule.fired and not rule.optional]
    noun = "rule" if len(history.rules) == 1 else "rules"
    count = f"{len(must)} of {len(history.rules)} {noun}"
    lines = wrapped(
        f"{count} never took effect, so this test did not show what it says it shows", rest=INDENT
    )
    lines += ["", *wrapped(funnel(history), first=INDENT), "", *plan(history, context)]
    for label, text in surroundings(context):
        lines += labelled(label, text)
    advice = unfired_advice(must, history)
    lines += ["", *labelled("fix", advice), *_replay(context)]
    return "\n".join(lines).rstrip()


def no_question(history: History, context: Context) -> str:
    """A chaos test that asked nothing: silence is not success."""
    lines = wrapped("no verdict was asked: this test cannot fail for what it was written for")
    lines += ["", *wrapped(funnel(history), first=INDENT), "", *plan(history, context), ""]
    lines += labelled(
        "fix",
        "ask at least one question, e.g. chaos.assert_lossless() or chaos.assert_idempotent(), "
        "or say own_assertions=True in the mark if the test's own asserts are the question",
    )
    return "\n".join([*lines, *_replay(context)]).rstrip()


def _sentence(verdict: Verdict) -> str:
    if verdict.status == "unknown":
        return f"{verdict.question} is UNKNOWN: {verdict.sentence}"
    return f"{verdict.question} {verdict.status}: {verdict.sentence}"


def _parts(verdict: Verdict) -> list[str]:
    """The answers of a verdict that was composed of several."""
    if len(verdict.parts) < 2:  # noqa: PLR2004 - one part is the verdict itself
        return []
    room = max(len(part.question) for part in verdict.parts)
    lines = [""]
    for part in verdict.parts:
        head = f"{INDENT}{part.question:<{room}}  {part.status:<7}  "
        lines += wrapped(part.sentence, first=head)
    return lines


def _findings(verdict: Verdict) -> tuple[Finding, ...]:
    """The findings of the verdict, or of the worst of its parts where it has none of its own."""
    if verdict.findings or not verdict.parts:
        return verdict.findings
    return _findings(worst(verdict.parts))


def _clock(history: History) -> str:
    since = base(history)
    if since is None:
        return "times count from the first row shown: no fault took effect"
    return f"times count from the first fault that took effect ({since[1]})"


def _closing(verdict: Verdict, history: History, context: Context, redact: Redactor) -> list[str]:
    """What is missing, what would fix it, how to see it again, where everything is."""
    lines: list[str] = []
    if verdict.missing:
        lines += labelled("to know" if verdict.status == "unknown" else "add", verdict.missing)
    if verdict.status == "unknown":
        for gap in history.gaps[:LIMITS]:
            lines += labelled("unseen", redact.text(gap))
    advice = verdict.advice or (worst(verdict.parts).advice if verdict.parts else "")
    lines += labelled("fix", redact.text(advice)) if advice else []
    lines += _replay(context)
    if context.history_file:
        lines += [f"{INDENT}{'history':<9}{context.history_file}"]
    return lines


def _replay(context: Context) -> list[str]:
    """The line to paste, unbroken whatever its length."""
    lines = [f"{INDENT}{'replay':<9}{context.replay}"] if context.replay else []
    return lines + ([f"{INDENT}{'':<9}reproduced {context.rate}"] if context.rate else [])


def _population(verdicts: list[Verdict]) -> list[str]:
    merged: dict[str, int] = {}
    for verdict in verdicts:
        for word, count in verdict.population.items():
            merged.setdefault(word, count)
    some = [f"{count} {word}" for word, count in merged.items() if count]
    return [", ".join(some or ["nothing was there to look at"])]


def _limits(verdict: Verdict) -> tuple[str, ...]:
    return verdict.limits + tuple(limit for part in verdict.parts for limit in _limits(part))
