"""What was broken: each rule as its own source, what it did, and its cause in the real world.

It knows `RuleState` and no fault.
"""

from __future__ import annotations

from pytest_mqchaos.history.history import History, RuleState
from pytest_mqchaos.report.context import Context
from pytest_mqchaos.report.layout import INDENT, heading, times, wrapped
from pytest_mqchaos.report.redact import Redactor, cut

RULES = 12  # rules shown in full


def plan(history: History, context: Context) -> list[str]:
    """The section "what was broken", with broker and clients; empty if nothing is known of them."""
    redact = Redactor.of(context)
    seed = f"seed {context.seed}" if context.seed is not None else ""
    lines = [heading("what was broken", seed)]
    for index, rule in enumerate(history.rules[:RULES]):
        lines += rule_lines(index, rule, context, redact)
    if len(history.rules) > RULES:
        lines.append(f"{INDENT}and {len(history.rules) - RULES} more rules")
    if not history.rules:
        source = redact.text(context.plan_source).strip() or "nothing: no rule was armed"
        lines += [cut(f"{INDENT}{line}", 100) for line in source.splitlines()]
    return lines


def rule_lines(index: int, rule: RuleState, context: Context, redact: Redactor) -> list[str]:
    """One rule: source, fate, cause, what still held."""
    head = f"{INDENT}rule {index + 1:<3} "
    pad = " " * len(head)
    lines = wrapped(redact.text(rule.source), first=head)
    if rule.fired:
        lines += wrapped(f"took effect {times(rule.fired)}", first=pad)
        lines += wrapped(f"in life: {rule.cause}", first=pad) if rule.cause else []
        why = context.consequences.get(index)
        lines += wrapped(f"without consequence: {why}", first=pad) if why else []
        held = context.guarantees.get(index)
        lines += wrapped(f"still held: {held}", first=pad) if held else []
    else:
        lines += wrapped(unfired_because(rule), first=pad)
    return lines


def unfired_because(rule: RuleState) -> str:
    """Why a rule did not take effect, as far as it is known."""
    optional = " (optional)" if rule.optional else ""
    if rule.reasons:
        return f"never took effect{optional}: {'; '.join(dict.fromkeys(rule.reasons))}"
    if not rule.matched:
        return f"never took effect{optional}: no message matched it"
    return f"never took effect{optional}: {rule.matched} matched, none was the one it waits for"


def surroundings(context: Context) -> list[tuple[str, str]]:
    """Broker and clients, kind and version each."""
    found = [("broker", context.broker)] if context.broker else []
    return found + ([("clients", ", ".join(context.clients))] if context.clients else [])
