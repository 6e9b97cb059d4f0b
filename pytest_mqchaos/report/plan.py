"""What was broken: each rule as its own source, what it did, and its cause in the real world.

It knows `RuleState` and no fault.
"""

from __future__ import annotations

from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.rows import RuleState
from pytest_mqchaos.report.context import Context
from pytest_mqchaos.report.layout import INDENT, heading, times, wrapped
from pytest_mqchaos.report.redact import Redactor, cut

RULES = 12  # rules shown in full
NAMED = 9  # destinations and groups that are named

_PUBLISHED = ("attempts", "let a producer publish")
_ACKED = ("acks", "let a consumer ack a message")
_AT = {
    "publish": _PUBLISHED,
    "confirm": _PUBLISHED,
    "deliver": ("deliveries", "let a consumer read a message"),
    "ack": _ACKED,
    "ack_confirm": _ACKED,
}


def plan(history: History, context: Context) -> list[str]:
    """The section "what was broken", with broker and clients; empty if nothing is known of them."""
    redact = Redactor.of(context)
    seed = f"seed {context.seed}" if context.seed is not None else ""
    lines = [heading("what was broken", seed)]
    begun = {event.rule for event in history.rule_events if event.what == "triggered"}
    for index, rule in enumerate(history.rules[:RULES]):
        lines += _rule_lines(index, rule, context, redact, begun=index in begun)
    if len(history.rules) > RULES:
        lines.append(f"{INDENT}and {len(history.rules) - RULES} more rules")
    if not history.rules:
        source = redact.text(context.plan_source).strip() or "nothing: no rule was armed"
        lines += [cut(f"{INDENT}{line}", 100) for line in source.splitlines()]
    return lines


def _rule_lines(
    index: int, rule: RuleState, context: Context, redact: Redactor, *, begun: bool
) -> list[str]:
    """One rule: source, fate, cause, what still held. `begun`: something has triggered it."""
    head = f"{INDENT}rule {index + 1:<3} "
    pad = " " * len(head)
    lines = wrapped(redact.text(rule.source), first=head)
    if rule.fired:
        lines += wrapped(f"took effect {times(rule.fired)}", first=pad)
        lines += wrapped(f"in life: {rule.cause}", first=pad) if rule.cause else []
        why = context.consequences.get(index)
        lines += wrapped(f"led to {why}", first=pad) if why else []
        held = context.guarantees.get(index)
        lines += wrapped(f"still held: {held}", first=pad) if held else []
    else:
        lines += wrapped(_unfired_because(rule, begun=begun), first=pad)
    return lines


def _unfired_because(rule: RuleState, *, begun: bool) -> str:
    """Why a rule did not take effect, as far as it is known."""
    optional = " (optional)" if rule.optional else ""
    if begun and not rule.reasons:
        return f"was triggered, and not done yet when this was told{optional}"
    if rule.reasons:
        return f"never took effect{optional}: {'; '.join(dict.fromkeys(rule.reasons))}"
    if not rule.matched:
        return f"never took effect{optional}: no message matched it"
    return f"never took effect{optional}: {rule.matched} matched, none was the one it waits for"


def unfired_advice(must: list[RuleState], history: History) -> str:
    """What would let these rules take effect, from what this run had to offer them."""
    if all(rule.reasons for rule in must):
        return (
            "do what the reason above asks for, leave the rule or profile out for this service "
            "(may_skip=True in the mark skips such a test), or say optional=True"
        )
    if any(rule.matched or rule.reasons for rule in must):
        return "send more messages, lower nth, or say optional=True where it need not fire"
    for rule in must:
        point = rule.source.removeprefix("on.").partition("(")[0]
        rows, needed = _AT.get(point, ("", ""))
        if rows and not getattr(history, rows):
            return (
                f"nothing that on.{point}(...) waits for was seen in this run: {needed}, or leave "
                "out the rules and profiles at this point"
            )
    topics = {row.topic for row in history.attempts} | {row.topic for row in history.deliveries}
    groups = {row.group for row in history.acks}
    seen = [
        f"{noun} {', '.join(sorted(names)[:NAMED])}"
        for noun, names in (("topics", topics), ("groups", groups))
        if names
    ]
    told = f" (seen: {'; '.join(seen)})" if seen else ""
    return (
        "arm the rule before the worker starts, and check its names against the destinations, "
        f"groups and clients of this run{told}"
    )


def surroundings(context: Context) -> list[tuple[str, str]]:
    """Broker and clients, kind and version each."""
    found = [("broker", context.broker)] if context.broker else []
    return found + ([("clients", ", ".join(context.clients))] if context.clients else [])
