import pytest

from pytest_mqchaos.checkers.ordered import ordered
from pytest_mqchaos.errors import UsageError
from tests.checkers.timeline import run


def two(**more):
    return run().publish("a", key=b"k", **more).publish("b", key=b"k", **more)


def test_effects_in_the_order_of_publishing_pass():
    verdict = two().work("a", "b").ask(ordered())
    assert verdict.status == "passed"
    assert verdict.population["keys"] == 1


def test_a_consumer_that_swaps_is_named():
    verdict = two().deliver("a", "b").effect("b").effect("a").ack().ask(ordered())
    assert verdict.status == "failed"
    assert verdict.findings[0].where == "consumer"
    assert verdict.sentence == (
        "1 of 1 key not in the order of publishing: 'b' took effect before 'a': stored in order "
        "(@0, @1), delivered in order, the consumer swapped them"
    )


def test_a_retry_that_comes_too_late_is_the_producers_swap():
    line = run().publish("a", key=b"k", outcome="refused").publish("b", key=b"k")
    verdict = line.publish("a", key=b"k").work("b", "a").ask(ordered())
    assert verdict.findings[0].where == "producer"
    assert line.ask(ordered(against="stored")).status == "passed"


def test_two_partitions_are_the_producers_swap():
    line = run().publish("a", key=b"k", p=0).publish("b", key=b"k", p=1)
    verdict = line.deliver("b").effect("b").deliver("a").effect("a").ask(ordered())
    assert verdict.status == "failed"
    assert "two partitions" in verdict.findings[0].text


def joined():
    """A customer and two orders of one key, in two topics; the first order is done first."""
    line = run(inputs=("in", "customers")).publish("c", topic="customers", key=b"k")
    line.publish("a", key=b"k").publish("b", key=b"k")
    return line.deliver("a").effect("a").deliver("c", topic="customers").effect("c").deliver("b")


def test_between_two_topics_of_one_key_nobody_keeps_an_order():
    line = joined().effect("b")
    verdict = line.ask(ordered())
    assert verdict.status == "unknown"
    assert verdict.sentence.startswith("two topics have a key in common, and no order: 'a' took")
    assert [(f.id, f.what) for f in verdict.findings] == [("c", "not known")]
    for apart in (lambda record: f"{record.topic} {record.key}", {"in": "key"}):
        assert line.ask(ordered(by=apart)).status == "passed"
    assert "by={'*': 'key'}" in verdict.missing
    assert line.ask(ordered(by={"*": "key"})).status == "failed"
    assert line.ask(ordered(by=None)).status == "failed"
    assert line.ask(ordered(against="stored")).status == "passed"


def test_what_hangs_on_a_posthumous_effect_is_no_matter_of_two_topics():
    line = run(inputs=("in", "customers")).publish("a", key=b"k").publish("b", key=b"k")
    line.publish("c", topic="customers", key=b"k").deliver("a", "b").effect("b", posthumous=True)
    line.effect("a").deliver("c", topic="customers").effect("c")
    verdict = line.ask(ordered())
    assert verdict.status == "unknown"
    assert verdict.sentence.startswith("the order hangs on a posthumous effect")
    assert "two topics" not in " ".join((verdict.sentence, *verdict.limits))


def test_what_two_of_one_topic_swapped_is_not_hidden_by_another():
    line = run(inputs=("in", "customers")).publish("a", key=b"k").publish("b", key=b"k")
    line.publish("c", topic="customers", key=b"k").deliver("b").effect("b")
    line.deliver("c", topic="customers").effect("c").deliver("a").effect("a")
    verdict = line.ask(ordered())
    assert verdict.status == "failed"
    assert [f.id for f in verdict.findings] == ["a"]
    assert "'b' took effect before 'a'" in verdict.sentence


def test_a_delivery_in_another_order_is_the_brokers_swap():
    verdict = two().deliver("b").effect("b").deliver("a").effect("a").ask(ordered())
    assert verdict.findings[0].where == "broker"


def test_overlapping_publishes_of_two_connections_have_no_order():
    line = run().publish("a", key=b"k", link=1, confirm=False)
    line.publish("b", key=b"k", link=2, confirm=False).confirm("a").confirm("b")
    assert line.work("b", "a").ask(ordered()).status == "passed"


def test_a_confirm_before_the_other_was_sent_orders_two_connections():
    line = run().publish("a", key=b"k", link=1).publish("b", key=b"k", link=2, owner="other")
    assert line.work("b", "a").ask(ordered()).status == "failed"


def sent_again_on_another_connection(**other):
    """`a` is lost with its connection, then comes `b`, then `a` again."""
    line = run().publish("a", key=b"k", link=1, outcome="unknown", stored=False)
    line.reconnect(1, 2).publish("b", key=b"k", link=2, **other)
    return line.publish("a", key=b"k", link=2).work("b", "a")


def test_a_connection_opened_when_the_other_had_ended_comes_after_it():
    verdict = sent_again_on_another_connection().ask(ordered())
    assert verdict.status == "failed"
    assert (verdict.findings[0].id, verdict.findings[0].where) == ("a", "producer")
    assert "the producer's retry came too late" in verdict.sentence


def test_what_another_producer_sent_in_between_has_no_order():
    line = sent_again_on_another_connection(owner="other")
    assert line.ask(ordered()).status == "passed"


def test_a_connection_that_was_there_before_the_other_ended_proves_nothing():
    line = sent_again_on_another_connection()
    assert line.but(spans={1: (0, 3), 2: (2, 0)}).ask(ordered()).status == "passed"
    assert line.but(spans={1: (0, 0), 2: (3, 0)}).ask(ordered()).status == "passed"


def test_one_connection_orders_without_any_confirm():
    line = run().publish("a", key=b"k", confirm=False).publish("b", key=b"k", confirm=False)
    assert line.work("b", "a").ask(ordered()).status == "failed"


@pytest.mark.parametrize(("p", "status"), [(0, "failed"), (1, "passed")])
def test_in_one_frame_only_one_partition_has_an_order(p, status):
    line = run().publish("a", key=b"k", confirm=False)
    line.publish("b", key=b"k", p=p, confirm=False, same_frame=True)
    assert line.work("b", "a").ask(ordered()).status == status


def test_other_keys_are_other_sequences_unless_by_says_so():
    line = run().publish("a", key=b"k").publish("b", key=b"l").publish("c", key=b"k")
    line.work("b", "a", "c")
    assert line.ask(ordered()).status == "passed"
    assert line.ask(ordered(by=None)).status == "failed"
    assert line.ask(ordered(by="partition")).status == "failed"


def test_the_effects_own_key_decides_where_it_has_one():
    line = run().publish("a").publish("b").effect("b", key="acc").effect("a", key="acc")
    assert line.ask(ordered()).status == "failed"
    line = run().publish("a", key=b"k").publish("b", key=b"k")
    assert line.effect("b", key="x").effect("a", key="y").ask(ordered()).status == "unknown"


def test_a_spec_finds_the_key_in_the_message():
    line = run().publish("a", value=b'{"k": 1}').publish("b", value=b'{"k": 1}').work("b", "a")
    assert line.ask(ordered(by="json:/k")).status == "failed"
    assert line.ask(ordered(by=lambda record: record.key)).status == "unknown"


def test_repeats_are_excused_unless_strict():
    line = two().deliver("a", "b").effect("a").effect("b").deliver("a", "b").effect("a")
    assert line.ask(ordered()).status == "passed"
    strictly = line.ask(ordered(strict=True))
    assert strictly.status == "failed"
    assert strictly.findings[0].where == "repeat"
    assert strictly.advice.startswith("guard what is written by version")


def test_a_first_effect_that_runs_backwards_counts_though_redelivered():
    line = two().deliver("a", "b").effect("b").deliver("a", owner="worker-1#2").effect("a")
    assert line.ask(ordered()).status == "failed"


def test_a_skip_is_loss_not_disorder():
    line = two().publish("c", key=b"k").work("a", "c")
    assert line.ask(ordered()).status == "passed"


def test_subscribers_are_judged_apart():
    line = two().effect("a", by="g").effect("b", by="g").effect("b", by="h").effect("a", by="h")
    verdict = line.ask(ordered())
    assert [f.by for f in verdict.findings] == ["h"]


def test_a_source_without_order_is_unknown():
    line = two().effect("a", order=False).effect("b", order=False)
    verdict = line.ask(ordered())
    assert verdict.status == "unknown"
    assert "order by seq" in verdict.missing


def test_a_pair_with_a_posthumous_effect_is_unknown():
    line = two().effect("b", posthumous=True).effect("a").effect("b")
    assert line.ask(ordered()).status == "unknown"


def test_under_a_gap_only_the_order_of_the_log_stays_proven():
    line = two().deliver("a", "b").effect("b").effect("a").but(gaps=("12 of 50 bypassed",))
    assert line.ask(ordered()).status == "unknown"
    assert line.ask(ordered(against="stored")).status == "failed"


def test_no_key_with_two_messages_is_unknown():
    assert run().publish("a", key=b"k").work("a").ask(ordered()).status == "unknown"


def test_wrong_options_are_usage_errors():
    with pytest.raises(UsageError, match="'stored'"):
        ordered(against="store")
    with pytest.raises(UsageError, match="no effect source"):
        run().but(effects=None).ask(ordered())


def test_a_proven_swap_is_not_hidden_behind_a_posthumous_one():
    line = run()
    for name in "abc":
        line.publish(name, key=b"k")
    line.effect("b").effect("c").effect("a").effect("b", posthumous=True)
    verdict = line.ask(ordered())
    assert verdict.status == "failed"
    assert verdict.findings[0].text.startswith("'c' took effect before 'a'")


def test_an_order_of_the_log_needs_the_log_and_only_keyed_messages_have_one():
    line = two().work("a", "b")
    assert line.but(read_back=False).ask(ordered(against="stored")).status == "unknown"
    keyless = run().publish("a").publish("b").publish("c", key=b"k").work("b", "a", "c")
    assert keyless.ask(ordered()).status == "unknown"


def test_a_copy_on_another_partition_has_no_place_in_the_log_order():
    line = two().publish("a", key=b"k", p=1).effect("b").effect("a")
    assert line.ask(ordered(against="stored")).status == "passed"


def test_of_several_sources_nobody_knows_which_was_first():
    line = two().deliver("a", "b").effect("a", source="query", order=False)
    verdict = line.effect("b", source="topic out", order=False).ack().ask(ordered())
    assert (verdict.status, verdict.missing) == (
        "unknown", "declare only the source whose order is asked"
    )  # fmt: skip
