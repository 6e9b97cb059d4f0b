import pytest

from pytest_mqchaos.checkers.no_gaps import no_gaps
from pytest_mqchaos.errors import UsageError
from tests.checkers.timeline import run

PER = ("json:/p", "json:/n")


def numbers(*seen, sent=None, more=""):
    """A producer sent these numbers; the consumer got the `seen` ones, in that order."""
    line = run()
    for n in sorted(set(sent or seen)):
        line.publish(f"m{n}", value=b'{"p": "x", "n": %d}' % n)
    for n in seen:
        line.deliver(f"m{n}")
    return line


def kinds(verdict):
    return sorted(f.what for f in verdict.findings)


def test_a_continuous_run_passes():
    verdict = numbers(3, 4, 5).ask(no_gaps(per=PER))
    assert verdict.status == "passed"
    assert verdict.population["numbers"] == 3


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ((1, 3), ["gap"]),
        ((1, 2, 2), ["repeat"]),
        ((2, 1, 3), ["regression"]),
        ((1, 4, 3, 3), ["gap", "regression", "repeat"]),
    ],
)
def test_gap_repeat_and_regression_are_told_apart(seen, expected):
    verdict = numbers(*seen).ask(no_gaps(per=PER))
    assert verdict.status == "failed"
    assert kinds(verdict) == expected


def test_a_redelivered_stretch_is_repeats_not_regressions_and_may_be_allowed():
    line = numbers(1, 2, 3, 1, 2, 3, 4)
    assert kinds(line.ask(no_gaps(per=PER))) == ["repeat"]
    assert line.ask(no_gaps(per=PER, repeats="allowed")).status == "passed"


def test_starts_at_closes_the_front():
    line = numbers(2, 3)
    assert line.ask(no_gaps(per=PER)).status == "passed"
    assert line.ask(no_gaps(per=PER, starts_at=1)).status == "failed"


def test_a_delivery_that_never_reached_the_consumer_is_a_gap():
    line = numbers(1, sent=(1, 2, 3)).deliver("m2", reached=False).deliver("m3")
    assert kinds(line.ask(no_gaps(per=PER))) == ["gap"]


def test_producers_partitions_and_groups_have_their_own_sequences():
    line = numbers(1, 2).deliver("m1", "m2", group="h").deliver("m1", group=None, owner="w")
    assert line.ask(no_gaps(per=PER)).population["sequences"] == 3
    assert line.ask(no_gaps(per=PER)).status == "passed"


def test_headers_and_callables_number_too():
    line = run().publish("a").deliver("a", headers=[("p", b"x"), ("n", b"1")])
    assert line.ask(no_gaps(per=("header:p", "header:n"))).status == "passed"
    assert line.ask(no_gaps(per=lambda record: (record.topic, 7))).status == "passed"
    assert line.ask(no_gaps(per=lambda record: None)).status == "unknown"


def test_messages_without_a_number_are_unknown():
    line = numbers(1, 2).publish("m9", value=b"{}").deliver("m9")
    verdict = line.ask(no_gaps(per=PER))
    assert verdict.status == "unknown"
    assert "1 delivery without a number: in-0@2" in verdict.sentence
    assert numbers(1).ask(no_gaps(per=lambda r: 1 / 0)).status == "unknown"
    assert numbers(1).ask(no_gaps(per=lambda r: ("x", "one"))).status == "unknown"


def test_under_a_gap_a_missing_number_is_unknown_a_repeat_is_not():
    assert numbers(1, 3).but(gaps=("x",)).ask(no_gaps(per=PER)).status == "unknown"
    assert numbers(1, 1).but(gaps=("x",)).ask(no_gaps(per=PER)).status == "failed"


def test_wrong_options_are_usage_errors():
    for wrong in ("json:/n", ("key",)):
        with pytest.raises(UsageError, match="pair"):
            no_gaps(per=wrong)
    with pytest.raises(UsageError, match="'allowed'"):
        no_gaps(per=PER, repeats="allow")


def produced(*stored, sent=None, **more):
    """A producer's log, whose records are the effects: nobody reads it."""
    line = run(inputs=("out",))
    for n in sorted(set(sent or stored)):
        line.publish(f"m{n}", topic="out", value=b'{"p": "x", "n": %d}' % n, stored=False)
    for n in stored:
        line.log_add(f"m{n}", "out", value=b'{"p": "x", "n": %d}' % n).effect(f"m{n}")
    return line.but(effect_topics=frozenset({"out"}), **more)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [((1, 3), ["gap"]), ((1, 2, 2), ["repeat"]), ((2, 1, 3), ["regression"]), ((1, 2, 3), [])],
)
def test_of_a_producer_without_a_consumer_the_log_is_asked(stored, expected):
    verdict = produced(*stored, sent=(1, 2, 3)).ask(no_gaps(per=PER))
    assert verdict.status == ("failed" if expected else "passed")
    assert kinds(verdict) == expected
    assert all(finding.text.endswith("of x on out-0 in the log") for finding in verdict.findings)


def test_a_producers_numbers_in_headers_are_those_that_it_sent():
    line = run(inputs=("out",)).but(effect_topics=frozenset({"out"}))
    for n in (1, 3):
        line.publish(f"m{n}", topic="out", headers=[("p", b"x"), ("n", b"%d" % n)]).effect(f"m{n}")
    assert kinds(line.ask(no_gaps(per=("header:p", "header:n")))) == ["gap"]


def test_where_somebody_read_it_the_deliveries_are_asked():
    line = produced(1, 2, 2).deliver("m1", "m2", topic="out")
    assert line.ask(no_gaps(per=PER)).status == "passed"


def test_what_was_deleted_from_the_log_is_no_gap_of_the_producers():
    compacted = produced(1, 3, sent=(1, 2, 3), compacted=frozenset({"out"}))
    assert compacted.ask(no_gaps(per=PER)).status == "unknown"
    cut = produced(2, 3, sent=(1, 2, 3), starts={("out", 0): 1})
    assert cut.ask(no_gaps(per=PER)).status == "passed"
    assert cut.ask(no_gaps(per=PER, starts_at=1)).status == "unknown"
    assert produced(read_back=False, sent=(1,)).ask(no_gaps(per=PER)).status == "unknown"


def test_where_nobody_reads_the_way_out_is_said():
    verdict = run().publish("a").ask(no_gaps(per=PER))
    assert verdict.status == "unknown"
    assert "chaos.effects.from_topic" in verdict.missing
