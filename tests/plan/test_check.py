"""What is asked when a plan is armed."""

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan import check as asking
from pytest_mqchaos.plan.check import check, check_rule, needed, resolved
from pytest_mqchaos.plan.legality import row
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.plan.when import where


def test_a_legal_plan_gives_its_rows_in_order():
    plan = Plan(on.confirm(topic="orders", nth=2).drop(), on.ack(group="g").redeliver())
    assert [row.fault for row in check(plan, "kafka")] == ["drop", "redeliver"]
    assert check(Plan(), "kafka") == ()


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (on.publish(queue="orders").drop(), r"Kafka has topics: write topic='orders'\."),
        (on.publish(when=where.stream("s")).drop(), r"Kafka has topics: write topic='s'\."),
        (
            on.publish(when=where.key("k") | where.queue("q")).drop(),
            r"Kafka has topics: write topic='q'\.",
        ),
        (
            on.publish(when=~(where.queue("q"))).drop(),
            r"Kafka has topics: write topic='q'\.",
        ),
        (on.deliver().drop(), r"cannot drop at deliver.*use \.sever\(\)"),
        (on.ack().refuse(25), r"caused, not answered: use on\.ack\(\.\.\.\)\.redeliver\(\)"),
        (on.publish().kill_broker(), "needs a broker that is Killable"),
        (on.publish().pause_broker(), "Pausable.*--mqchaos-broker=embedded"),
        (on.publish().move_leader(), r"needs a cluster of several nodes.*--mqchaos-nodes=3"),
        (
            on.publish().kill_broker(unreplicated=True),
            "needs a cluster of several nodes; this one has one",
        ),
        (
            on.ack().kill_broker(unreplicated=True),
            r"unreplicated=True cannot be here: what no follower has.*use it at on\.publish",
        ),
        (on.control(api="Metadata").move_leader(), "names no partition whose leader could move"),
        (on.confirm().power_loss(), r"Use it at on\.publish\(\.\.\.\): the broker then goes"),
        (on.publish().expire(), "cannot expire at publish.*expire is possible at: deliver"),
        (on.publish(group="g").drop(), r"never match: Produce names no consumer group.*client="),
        (on.deliver(group="g").delay(1), "Fetch names no consumer group"),
        (on.publish(when=~where.group("g")).drop(), "names no consumer group"),
        (on.control(api="Metadata", group="g").sever(), "Metadata names no consumer group"),
        (on.control(api="Hartbeat").sever(), "Did you mean 'Heartbeat'"),
        (on.control(api="Heartbeat|Hartbeat").sever(), "Did you mean 'Heartbeat'"),
        (on.control(api="Heartbeat|JoinGroup").rebalance(), r"api for .rebalance\(\) here"),
        (on.control(api="Heartbeat|JoinGroup").refuse(27), "JoinGroup"),
        (on.control(api="Fetch").sever(), "Fetch is seen at: deliver"),
        (on.publish(api="Fetch").drop(), "unknown api at publish 'Fetch'"),
        (on.control(api="Heartbeat", key="k").sever(), "carry no messages, so key cannot"),
        (on.control(api="Heartbeat", topic="t").sever(), "carry no messages, so topic cannot"),
        (
            on.control(api="Heartbeat", when=where.header("h")).sever(),
            "carry no messages, so header cannot",
        ),
        (on.control(api="Heartbeat", attempt=2).sever(), "attempt=2 can never match.*Use nth"),
        (on.control(api="Metadata").rebalance(), r"api for \.rebalance\(\) here 'Metadata'"),
        (
            on.publish(topic="a", when=where.topic("b")).drop(),
            "topic cannot be 'a' and 'b' at once",
        ),
        (on.publish(when=where.key("a") & where.key(b"b")).drop(), "key cannot be b'a' and b'b'"),
        (on.ack(when=where.partition(0) & where.partition(1)).drop(), "partition cannot be 0 and"),
        (on.publish(key="a", when=where.key("b")).drop(), "key cannot be b'a' and b'b' at once"),
        (on.ack(group="a", when=where.group("b")).drop(), "group cannot be 'a' and 'b' at once"),
        (on.publish(when=where.id("1") & where.key("a") & where.key("b")).drop(), "key cannot be"),
    ],
)
def test_an_impossible_rule_is_refused_with_its_own_words(rule, says):
    with pytest.raises(UsageError, match=says) as caught:
        check(Plan(rule), "kafka")
    assert str(caught.value).startswith(repr(rule))


@pytest.mark.parametrize(
    "rule",
    [
        on.publish(topic="a", when=where.topic("a")).drop(),
        on.publish(key="a", when=where.key(b"a")).drop(),
        on.publish(when=where.topic("a") | where.topic("b")).drop(),
        on.publish(topic="a", when=~where.topic("b")).drop(),
        on.publish(id="1", when=where.id("2")).drop(),  # a message may have several ids
        on.publish(client="app", when=where.client("worker-1")).drop(),
        on.ack(group="g", api="TxnOffsetCommit").refuse(),
        on.control(api="JoinGroup", group="g", client="c", nth=2).sever(),
        on.control(api="Heartbeat").rebalance(),
        on.control(api="Heartbeat|ConsumerGroupHeartbeat", group="g").rebalance(),
        on.ack().refuse(25, forge=True),
        on.publish(nth=2).drop(forge=True),
    ],
)
def test_what_could_match_is_let_through(rule):
    assert check_rule(rule, "kafka").fault == rule.fault.verb


def test_a_broker_that_can_is_enough():
    rule = on.publish(nth=2).kill_broker(restart_after=1.0)
    assert check_rule(rule, "kafka", {"Killable"}).needs == ("Killable",)
    with pytest.raises(UsageError, match="it is Pausable"):
        check_rule(rule, "kafka", {"Pausable"})


def test_a_forged_row_wants_forge(monkeypatch):
    legal = row("kafka", on.ack().where.point, "drop")
    forged = type(legal)(**{n: getattr(legal, n) for n in legal.__slots__} | {"forged": True})
    monkeypatch.setattr(asking.legality, "row", lambda *_: forged)
    with pytest.raises(UsageError, match=r"no real execution shows this .*forge=True"):
        check_rule(on.ack().drop(), "kafka")
    assert check_rule(on.ack().drop(forge=True), "kafka") is forged


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (on.publish(nth=2).refuse(), 6),
        (on.ack().refuse("NOT_COORDINATOR"), 16),
        (on.ack().refuse(27, optional=True), 27),
        (on.control(api="EndTxn").refuse(), 51),
        (on.ack().refuse("ILLEGAL_GENERATION", forge=True), 22),
    ],
)
def test_resolved_gives_recipes_a_number(rule, code):
    made = resolved(rule, "kafka")
    assert made.fault.error == code
    assert (made.where, made.optional, made.forge) == (rule.where, rule.optional, rule.forge)


def test_resolved_leaves_other_faults_alone():
    rule = on.ack(nth=1).drop()
    assert resolved(rule, "kafka") is rule


def test_an_argument_may_need_more_of_the_broker():
    plain = on.publish().kill_broker()
    rule = on.publish().kill_broker(unreplicated=True)
    check_rule(plain, "kafka", ("Killable",))
    with pytest.raises(UsageError, match="needs a broker that is ReplicationHoldable"):
        check_rule(rule, "kafka", ("Killable", "Clustered"))
    check_rule(rule, "kafka", ("Killable", "Clustered", "ReplicationHoldable"))
    assert needed(Plan(plain), "kafka") == ("Killable",)
    assert needed(Plan(plain, rule), "kafka") == ("Clustered", "Killable", "ReplicationHoldable")
    assert needed(Plan(), "kafka") == ()
