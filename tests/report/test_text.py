"""The whole text, to the letter: it is the product's face, so a change of it is a decision."""

import pytest

from pytest_mqchaos.checkers.verdict import Finding, Verdict
from pytest_mqchaos.report.text import Context, LogLine, failure, no_question, passed, unfired
from tests.report import golden, runs

REPLAY = 'pytest "tests/test_payments.py::test_payments[x]" --mqchaos-plan=k1.eJyrVkrLz1'
CONTEXT = Context(
    seed=7,
    broker="embedded Kafka cluster 0.1.0",
    clients=("aiokafka 0.14.0",),
    replay=REPLAY,
    rate="10/10",
    logs=(
        LogLine(runs.T + int(12.3 * runs.MS), "worker-1#1", "booking pay-2, password=hunter2"),
        LogLine(runs.T + int(12.3 * runs.MS), "worker-9#1", "somebody else"),
    ),
    history_file=".mqchaos/last/test_payments/history.jsonl",
)
LOST = Verdict(
    question="lossless",
    status="failed",
    sentence="1 of 3 confirmed messages was lost: delivered, no effect, acked",
    population={"confirmed": 3, "lost": 1},
    findings=(Finding(id="pay-2", what="lost", where="delivered, no effect, acked", text="..."),),
    advice="ack only after the work",
)
REPEATED = Verdict(
    question="idempotent",
    status="failed",
    sentence="1 of 2 messages took effect more than once",
    findings=(
        Finding(
            id="pay-2",
            what="repeated",
            where="redelivered",
            text="delivered 2x (redelivered), effect 2x",
        ),
    ),
    advice="record the processed id in the same transaction as the work",
)
DISORDERED = Verdict(
    question="ordered",
    status="failed",
    sentence="1 of 1 key not in the order of publishing: 'pay-2' took effect before 'pay-1'",
    findings=(
        Finding(
            id="pay-1",
            what="out of order",
            where="producer",
            text="'pay-2' took effect before 'pay-1': the producer's retry came too late",
        ),
    ),
)
UNKNOWN = Verdict(
    question="lossless",
    status="unknown",
    sentence="1 of 2 messages still waiting: held for group billing, in which nobody is left",
    findings=(Finding(id="pay-2", what="waiting", where="stored, never delivered"),),
    missing="let the worker finish: chaos.settle(timeout=...)",
)
PASSED = Verdict(
    question="idempotent",
    status="passed",
    sentence="each of 2 messages took effect once",
    population={"confirmed": 2, "delivered": 3, "repeated": 0},
    limits=("on.confirm(nth=9).drop() had no effect",),
)
GUARDED = Context(
    guarantees={0: "what was stored stays in order of its offsets"},
    consequences={0: "no copy: an idempotent producer sends none"},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(failure(LOST, runs.lost().history(), CONTEXT), golden.LOST, id="lost"),
        pytest.param(
            failure(REPEATED, runs.repeated().history(), Context()), golden.REPEATED, id="repeated"
        ),
        pytest.param(
            failure(DISORDERED, runs.disordered().history(), GUARDED),
            golden.DISORDERED,
            id="disordered",
        ),
        pytest.param(
            failure(
                UNKNOWN,
                runs.stuck().history(gaps=("link 3 (w) could not be followed: TLS",)),
                Context(),
            ),
            golden.UNKNOWN,
            id="unknown",
        ),
        pytest.param(unfired(runs.stuck().history(), CONTEXT), golden.UNFIRED, id="unfired"),
        pytest.param(
            no_question(runs.repeated().history(), Context()), golden.NO_QUESTION, id="no_question"
        ),
        pytest.param(
            passed([PASSED], runs.repeated().history(), Context(), profile="redelivery"),
            golden.PASSED,
            id="passed",
        ),
    ],
)
def test_the_text(text, expected):
    assert text == expected.rstrip("\n")
    assert all(len(line) <= 100 for line in text.splitlines() if "│" in line or "──" in line)


def test_a_pass_of_nothing_says_that_nothing_was_looked_at():
    line = passed([], runs.Run().history(), Context())
    assert line == "mqchaos: nothing asked · no rule · nothing was there to look at"


def test_a_composed_verdict_shows_its_parts_and_the_findings_of_the_worst():
    whole = Verdict(
        question="exactly_once", status="failed", sentence="lost one", parts=(PASSED, LOST)
    )
    text = failure(whole, runs.lost().history(), Context())
    assert "  idempotent  passed   each of 2 messages took effect once\n" in text
    assert "  lossless    failed   1 of 3 confirmed messages was lost" in text
    assert "── pay-2 · lost" in text
    assert "  fix      ack only after the work" in text


def test_at_most_five_messages_are_shown_and_the_rest_is_named():
    run = runs.Run()
    for n in range(20):
        run.attempt(n, f"m{n}", end=n + 0.5, offset=n)
    findings = tuple(Finding(id=f"m{n}", what="lost") for n in range(20))
    verdict = Verdict(question="lossless", status="failed", sentence="all", findings=findings)
    text = failure(verdict, run.history(), Context())
    assert text.count("· lost ──") == 5
    assert "  and 15 more: m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16 …" in text


def test_a_long_story_keeps_its_two_ends():
    run = runs.Run()
    run.attempt(0, "m", end=0.5, offset=0)
    for n in range(30):
        run.deliver(1 + n, 0, "m")
    run.effect(40, "m")
    findings = (Finding(id="m", what="repeated"),)
    verdict = Verdict(question="attempts", status="failed", sentence="30x", findings=findings)
    text = failure(verdict, run.history(), Context())
    assert "publish, 1st attempt" in text
    assert "… 17 rows left out …" in text
    assert "effect, value 10" in text


def test_a_finding_about_a_key_shows_the_messages_of_the_key():
    verdict = Verdict(
        question="latest",
        status="failed",
        sentence="stale",
        findings=(Finding(id="acct-1", what="stale"),),
    )
    text = failure(verdict, runs.repeated().history(), Context())
    assert "pay-1: key acct-1" in text
    assert "pay-2: key acct-1" in text


def test_a_finding_that_no_row_knows_still_says_what_it_is():
    finding = Finding(id="ghost", what="unexpected", text="nobody attempted it")
    verdict = Verdict(question="exactly_once", status="failed", sentence="odd", findings=(finding,))
    text = failure(verdict, runs.repeated().history(), Context())
    assert "── ghost · unexpected ──" in text
    assert "  nobody attempted it\n  nothing was seen of it" in text


def test_payloads_can_be_hidden_everywhere():
    run = runs.repeated()
    payload = runs.value("pay-2").decode()
    finding = Finding(id="pay-2", what="altered", text=f"{payload} <> nothing")
    verdict = Verdict(
        question="idempotent", status="failed", sentence=f"altered: {payload}", findings=(finding,)
    )
    context = Context(payloads="hash")
    text = failure(verdict, run.history(), context)
    assert "amount" not in text
    assert "acct-1" not in text
    assert "value 10" not in text
    assert "bytes>" in text


def test_secrets_are_shown_nowhere():
    run = runs.Run()
    run.attempt(0, "m", end=1, offset=0, value=b'{"card": {"api-key": "s3cr3t"}, "n": 1}')
    run.rule('on.control(api="SaslHandshake", sasl_password="s3cr3t").sever()')
    finding = Finding(id="m", what="altered", text="token: s3cr3t")
    verdict = Verdict(
        question="q", status="failed", sentence="password=s3cr3t", findings=(finding,)
    )
    context = Context(broker="kafka://user:s3cr3t@host:9092")
    text = failure(verdict, run.history(), context)
    assert "s3cr3t" not in text
    assert '{"card": {"api-key": "<hidden>"}, "n": 1}' in text


def test_a_rule_with_a_reason_is_not_told_to_come_earlier():
    run = runs.Run()
    run.rule("on.ack(nth=2).redeliver()", fired=0, matched=6, reasons=("nobody to evict",))
    text = " ".join(unfired(run.history(effects=None), Context()).split())
    assert "never took effect: nobody to evict" in text
    assert "do what the reason above asks for" in text
    assert "lower nth" not in text


def test_a_rule_that_is_still_at_work_is_not_said_to_have_missed():
    run = runs.stuck()
    run.fault(10.5, "EndTxn of #1", what="triggered")
    told = failure(UNKNOWN, run.history(), Context())
    assert "was triggered, and not done yet when this was told" in told
    assert "never took effect" not in told


def test_a_rule_that_nothing_matched_is_told_what_the_run_had():
    run = runs.Run()
    run.rule("on.ack(topic='paiments', nth=1).drop()", fired=0, matched=0)
    run.attempt(0, "m", end=1, offset=0)
    text = unfired(run.history(effects=None), Context())
    assert "nothing that on.ack(...) waits for was seen in this run: let a consumer ack" in text
    run.deliver(2, 0, "m")
    run.ack(3, 1)
    text = " ".join(unfired(run.history(effects=None), Context()).split())
    assert "of this run (seen: topics payments; groups billing)" in text
