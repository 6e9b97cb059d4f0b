"""Each row of a timeline in the field's words."""

import pytest

from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.history.history import Flow
from pytest_mqchaos.history.index import index_of
from pytest_mqchaos.history.rows import Handled, RuleState
from pytest_mqchaos.report.context import Context, LogLine
from pytest_mqchaos.report.funnel import funnel
from pytest_mqchaos.report.layout import ordinal, times
from pytest_mqchaos.report.moments import of_message
from pytest_mqchaos.report.plan import plan
from pytest_mqchaos.report.timeline import instant, timeline
from tests.report import runs


def told(run, *, context=None, **options):
    """Who and what of each moment of message "m"."""
    history = run.history(**options)
    moments = of_message(history, index_of(history).story("m"), context or Context())
    return [f"{moment.who} {moment.text}".strip() for moment in moments]


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ({"reached": False, "outcome": "unknown"}, [": never reached the broker"]),
        ({"acks": 0, "outcome": "unknown"}, [" (acks=0: nobody confirms it)"]),
        ({"outcome": "unknown"}, [": no answer came back"]),
        ({"outcome": "unknown", "offset": 4}, [": no answer came back, though stored @4"]),
        ({"end": 1, "offset": 4}, ["", "publisher confirmed, stored @4"]),
        ({"end": 1}, ["", "publisher confirmed"]),
        ({"end": 1, "outcome": "refused", "error": 7}, ["", "publisher refused with error 7"]),
        (
            {"end": 1, "outcome": "refused", "error": 7, "offset": 2},
            ["", "publisher refused with error 7, though stored @2"],
        ),
    ],
)
def test_a_publish_says_how_it_ended_for_its_producer(given, rows):
    run = runs.Run()
    run.attempt(0, "m", **given)
    first, *rest = rows
    expected = [f"publisher publish, 1st attempt, to payments-0{first}", *rest]
    assert told(run, effects=None, read_back=False) == expected


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "the broker took it"),
        ({"outcome": "refused", "error": 25}, "refused with error 25 (E25)"),
        ({"outcome": "unknown"}, "no answer seen"),
        ({"outcome": "unknown", "reached": False}, "never reached the broker"),
        (
            {"outcome": "unknown", "reached": False, "error": 16},
            "never reached the broker, was told error 16 (E16)",
        ),
    ],
)
def test_an_ack_says_what_the_broker_did(given, text):
    run = runs.Run()
    run.deliver(1, 3, "m")
    run.ack(2, 4, **given)
    rows = told(run, effects=None, context=Context(error_name=lambda code: f"E{code}"))
    assert rows == [
        "worker-1#1 delivered payments-0@3 to billing",
        f"worker-1#1 ack up to payments-0@3 for billing: {text}",
    ]


def test_a_delivery_that_was_held_back_is_no_repeat():
    run = runs.Run()
    run.deliver(1, 3, "m", reached=False)
    run.deliver(2, 3, "m")
    assert told(run, effects=None) == [
        "worker-1#1 delivered payments-0@3 to billing: held back, never reached it",
        "worker-1#1 delivered payments-0@3 to billing",
    ]


def test_effects_name_part_subscriber_value_and_how_exactly_their_time_is_known():
    run = runs.Run()
    run.effect(5, "m", part="debit", by="billing", before=2.5)
    run.effect(6, "m", part="credit", by="billing", amount=None, posthumous=True)
    run.effect(None, "m", part="debit", by="billing", amount="x", gone=True)
    assert told(run, handled=(Handled(runs.T, "m", "worker-1#1"),)) == [
        "worker-1#1 handler starts",
        "worker-1#1 effect, part debit, by billing, value 10, somewhere in the 2.5 ms before this",
        "worker-1#1 effect, part credit, by billing, posthumous",
        "worker-1#1 EFFECT, 2nd time, part debit, by billing, value x, gone at the end",
    ]


def test_effects_that_name_nobody_are_shown_where_a_groups_ack_is_judged():
    run = runs.Run()
    run.deliver(1, 3, "m")
    run.ack(2, 4)
    run.effect(5, "m", before=4.5)
    run.effect(6, "m", by="audit")
    finding = Finding(id="m", what="not known", by="billing")
    _, _, *rows = timeline(finding, run.history(), Context())
    said = [" ".join(row.split()) for row in rows]
    assert said[-1].endswith("effect, value 10, somewhere in the 4.5 ms before this")
    assert len(said) == 3


def test_dead_letters_copies_and_what_the_log_lacks():
    flow = Flow(inputs=frozenset({"payments"}), dead_letters=frozenset({"dlq"}))
    run = runs.Run()
    run.attempt(0, "m", end=1, offset=0)
    run.attempt(2, "m", topic="dlq", end=3)
    assert told(run, flow=flow, effects=None)[2:] == [
        "publisher dead letter, publish to dlq-0",
        "publisher dead letter confirmed",
        "the log does not hold it",
    ]
    run.attempt(4, "m", topic="dlq", outcome="unknown", reached=False)
    assert "publisher dead letter, publish to dlq-0: never reached the broker" in told(
        run, flow=flow, effects=None
    )
    run = runs.Run()
    run.stored(0, "m")
    run.stored(4, "m")
    run.stored(9, "m", topic="dlq")
    run.place(-1, 5)
    assert told(run, flow=flow) == [
        "parked at dlq-0@9",
        "the log holds 2 copies: payments-0@0, payments-0@4",
        "billing has no position on payments-0",
        "billing has no position on payments-0",
        "no effect",
    ]


def test_a_foreign_workers_crash_is_left_out_and_a_brokers_is_told():
    run = runs.Run()
    run.deliver(1, 3, "m")
    run.deliver(1, 4, "other", owner="worker-2#1")
    run.process(2, "worker-2#1", "crashed", "x")
    run.process(3, "broker 0", "killed", "rule 1")
    run.process(4, "worker-1#2", "started")
    _, _, *rows = timeline(Finding(id="m", what="lost"), run.history(effects=None), Context())
    assert [" ".join(row.split()) for row in rows] == [
        "0.0 ms │ worker-1#1 delivered payments-0@3 to billing",
        "+2.0 ms ■ broker 0 killed: rule 1",
        "+3.0 ms │ worker-1#2 started",
    ]


def test_times_count_from_the_trigger_and_a_slow_fault_has_two_rows():
    run = runs.Run()
    run.deliver(1, 3, "m")
    run.fault(2, "OffsetCommit of m", what="triggered")
    run.fault(2.5, "reply swallowed")
    run.fault(4, "OffsetCommit of n", rule=1, what="triggered")
    run.fault(160, "crashed after the frame", rule=1)
    run.fault(170, "x", rule=1, what="healed")
    _, _, *rows = timeline(Finding(id="m", what="lost"), run.history(effects=None), Context())
    assert [" ".join(row.split()) for row in rows] == [
        "-1.0 ms │ worker-1#1 delivered payments-0@3 to billing",
        "0.0 ms ┿ rule 1 took effect on OffsetCommit of m: reply swallowed",
        "+2.0 ms ┿ rule 2 triggered on OffsetCommit of n",
        "+158.0 ms ┿ rule 2 took effect: crashed after the frame",
    ]


def test_a_long_row_goes_on_in_its_column_and_a_long_log_line_is_cut():
    run = runs.Run()
    run.deliver(1, 3, "m")
    run.fault(2, "word " * 20)
    logs = (LogLine(runs.T + 3 * runs.MS, "worker-1#1", "said " * 30),)
    _, _, *rows = timeline(
        Finding(id="m", what="lost"), run.history(effects=None), Context(logs=logs)
    )
    assert len(rows) == 4
    assert rows[1].startswith("      0.0 ms ┿ rule 1      took effect: word")
    assert rows[2].startswith("             │               word")
    assert len(rows[3]) == 100
    assert rows[3].endswith("…")


@pytest.mark.parametrize(
    ("difference", "shown"),
    [
        (0, "0.0 ms"),
        (-40_000, "0.0 ms"),
        (1_250_000, "+1.2 ms"),
        (-9_999_900_000, "-9999.9 ms"),
        (10_000_000_000, "+10.00 s"),
    ],
)
def test_instants(difference, shown):
    assert instant(difference) == shown


def test_words_for_numbers():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 113)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "113th")
    ]
    assert [times(n) for n in (1, 2, 3)] == ["once", "twice", "3 times"]


def test_the_funnel_says_what_nobody_looked_at():
    line = funnel(runs.Run().history(effects=None, read_back=False))
    assert line == (
        "published 0 · confirmed 0 · stored not read back · delivered 0 · "
        "effects not declared · acked 0 · dead 0 · waiting 0"
    )


def test_the_plan_is_cut_and_says_why_rules_did_not_fire():
    def rule(**given):
        state = {"source": "r", "cause": "", "fired": 0, "matched": 0, "optional": False}
        return RuleState(**{**state, **given})

    rules = (
        rule(reasons=("never two in flight", "never two in flight")),
        rule(),
        *(rule(fired=2) for _ in range(12)),
    )
    lines = plan(runs.Run().history(rules=rules), Context())
    assert lines[1:5] == [
        "  rule 1   r",
        "           never took effect: never two in flight",
        "  rule 2   r",
        "           never took effect: no message matched it",
    ]
    assert lines[-1] == "  and 2 more rules"
    assert "           took effect twice" in lines


def test_a_plan_without_rules_in_the_history_is_shown_as_given():
    lines = plan(runs.Run().history(), Context(plan_source="Plan(\n    on.ack().drop(),\n)"))
    assert lines[1:] == ["  Plan(", "      on.ack().drop(),", "  )"]
