"""What a person is told, word for word: a page of it, for each question about a plan."""

from dataclasses import replace

import pytest

from pytest_mqchaos.errors import UnknownName, UsageError
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import jsonform, legality, legality_kafka, legality_kafka_brokers, token
from pytest_mqchaos.plan.check import check
from pytest_mqchaos.plan.notation import parse
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.profile import Profile
from pytest_mqchaos.plan.profiles import expand
from pytest_mqchaos.plan.render import legality_page, profile_page
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.plan.table import Refusal, Table
from pytest_mqchaos.plan.when import question, where

CONTROL = (
    "AddOffsetsToTxn, AddPartitionsToTxn, AlterConfigs, ApiVersions, ConsumerGroupDescribe, "
    "ConsumerGroupHeartbeat, CreatePartitions, CreateTopics, DeleteGroups, DeleteRecords, "
    "DeleteTopics, DescribeCluster, DescribeConfigs, DescribeGroups, DescribeProducers, "
    "DescribeTopicPartitions, DescribeTransactions, ElectLeaders, EndTxn, FindCoordinator, "
    "GetTelemetrySubscriptions, Heartbeat, IncrementalAlterConfigs, InitProducerId, JoinGroup, "
    "LeaveGroup, ListGroups, ListOffsets, ListTransactions, Metadata, OffsetDelete, OffsetFetch, "
    "OffsetForLeaderEpoch, PushTelemetry, SaslAuthenticate, SaslHandshake, SyncGroup."
)
EXAMPLE = "Write rules as in a test, such as on.confirm(topic='orders', nth=2).drop()."
SAID = [
    (
        lambda: legality.row("kafka", Point.DELIVER, "drop"),
        ("Kafka cannot drop at deliver. A lost Fetch answer takes its connection with it: use "
        ".sever(). Possible at deliver: crash_worker, delay, expire, kill_broker, move_leader, "
        "partition, pause_broker, power_loss, restart_broker, sever. drop is possible at: "
        "ack, ack_confirm, confirm, publish."),
    ),
    (
        lambda: legality.row("kafka", Point.CONFIRM, "rebalance"),
        ("Kafka cannot rebalance at confirm. Possible at confirm: crash_worker, delay, drop, hang. "
        "rebalance is possible at: control."),
    ),
    (
        lambda: check(Plan(on.control(api="Hartbeat").sever()), "kafka"),
        ("on.control(api='Hartbeat').sever(): unknown api at control 'Hartbeat'. Did you mean "
        f"'Heartbeat' or 'ConsumerGroupHeartbeat'? Allowed: {CONTROL}"),
    ),
    (
        lambda: check(Plan(on.control(api="Fetch").sever()), "kafka"),
        ("on.control(api='Fetch').sever(): unknown api at control 'Fetch'. Did you mean "
        f"'OffsetFetch'? Allowed: {CONTROL} Fetch is seen at: deliver."),
    ),
    (
        lambda: Plan.from_json({"rules": [{"on": "ack", "where": {"tpoic": ""}, "fault": "drop"}]}),
        ("unknown field of a rule's where 'tpoic'. Did you mean 'topic' or 'api'? Allowed: api, "
        "attempt, client, group, id, key, nth, partition, queue, stream, subject, topic, when."),
    ),
    (
        lambda: Plan.from_json({"rules": [{"on": "ack"}]}),
        ("unknown fault ''. Allowed: crash_worker, delay, drop, duplicate, expire, hang, "
        "kill_broker, move_leader, partition, pause_broker, power_loss, rebalance, redeliver, "
        "refuse, reorder, restart_broker, sever."),
    ),
    (
        lambda: jsonform.unpack({"evry": 3}),
        ("unknown kind of packed value 'evry'. Did you mean 'every'? Allowed: all, any, bytes, "
        "every, not, range, test."),
    ),
    (
        lambda: parse("on.akc().drop()"),
        ("unknown point 'akc'. Did you mean 'ack'? Allowed: ack, ack_confirm, confirm, control, "
        "deliver, publish."),
    ),
    (
        lambda: parse("on.ack(nth=range()).drop()"),
        f"'range()' cannot stand in a plan. {EXAMPLE}",
    ),
    (
        lambda: parse("on.ack(nth=range(1, 2, 3, 4)).drop()"),
        f"'range(1, 2, 3, 4)' cannot stand in a plan. {EXAMPLE}",
    ),
    (
        lambda: question("kee", ("x",)),
        ("unknown predicate 'where.kee'. Did you mean 'where.key' or 'where.queue' or "
        "'where.header'? Allowed: where.client, where.group, where.header, where.id, where.key, "
        "where.partition, where.queue, where.stream, where.subject, where.topic, "
        "where.value_contains."),
    ),
    (
        lambda: expand("lost-confim", "kafka"),
        ("unknown kafka profile 'lost-confim'. Did you mean 'lost-confirm' or 'slow-confirm' or "
        "'lost-ack'? Allowed: aborted-transaction, broker-kill, broker-pause, broker-restart, "
        "crash-after-ack, crash-before-ack, delayed-delivery, duplicate-publish, hostile, "
        "leader-kill, lost-ack, lost-confirm, lost-publish, lost-transaction-end, "
        "network-partition, power-loss, quick, rebalance, redelivery, refused-publish, "
        "reordered-publish, retention, slow-confirm, standard, transactions, "
        "unreplicated-leader-kill. Your own go under [tool.mqchaos.profiles] in pyproject.toml."),
    ),
    (
        lambda: token.decode("x" * 40),
        f"'{'x' * 40}' is no plan token: a token starts with 'mq1.'.",
    ),
    (
        lambda: token.decode("x" * 41),
        f"'{'x' * 37}...' is no plan token: a token starts with 'mq1.'.",
    ),
    (
        lambda: token.decode("mq1."),
        "the plan token 'mq1.' holds no plan: its end is missing or too long. Copy the whole word.",
    ),
    (
        lambda: Plan(on.ack().drop(), seed=-1),
        "seed=-1: must be a whole number of 0 or more.",
    ),
    (
        lambda: on.publish(topic=3),
        "topic=3: must be a str that is not empty.",
    ),
    (
        lambda: on.publish(queue=""),
        "queue='': must be a str that is not empty.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "said"), SAID, ids=[said[:40] for _, said in SAID])
def test_the_whole_sentence(ask, said):
    with pytest.raises(UsageError) as caught:
        ask()
    assert str(caught.value) == said


def test_a_point_without_any_row_says_so(monkeypatch):
    bare = Table(protocol="bare", title="Bare", word="topic", apis={}, group_apis=frozenset(),
                 rows=())  # fmt: skip
    monkeypatch.setattr(legality, "TABLES", {"bare": bare})
    with pytest.raises(UsageError) as caught:
        legality.row("bare", Point.ACK, "drop")
    assert str(caught.value) == "Bare cannot drop at ack. Possible at ack: nothing."


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (where, ("unknown predicate 'nearly'. Did you mean 'header'? Allowed: client, group, "
                "header, id, key, partition, queue, stream, subject, topic, value_contains.")),
        (on, ("unknown point 'nearly'. Allowed: ack, ack_confirm, confirm, "
             "control, deliver, publish.")),
        (on.ack(), ("unknown fault 'nearly'. Did you mean 'delay'? Allowed: "
                   "crash_worker, delay, drop, duplicate, expire, hang, kill_broker, "
                   "move_leader, partition, pause_broker, power_loss, rebalance, redeliver, "
                   "refuse, reorder, restart_broker, sever.")),
    ],
    ids=["where", "on", "at"],
)  # fmt: skip
def test_an_unknown_name_is_told_and_a_private_one_is_just_not_there(names, said):
    with pytest.raises(UnknownName) as told:
        _ = names.nearly
    assert str(told.value) == said
    with pytest.raises(AttributeError) as caught:
        _ = names._nearly
    assert type(caught.value) is AttributeError
    assert str(caught.value) == "_nearly"


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        ("NOT_ENOUGH_REPLICAS", (19, "NOT_ENOUGH_REPLICAS")),  # one of another point
        ("ILLEGAL_GENERATION", (22, "ILLEGAL_GENERATION")),  # one that is caused
        (4711, (4711, "error 4711")),
    ],
)
def test_a_forged_error_is_named_as_far_as_it_is_known(error, refusal):
    code, name = refusal
    made = Refusal(point=Point.ACK, code=code, name=name, cause="")
    assert legality.refusal("kafka", Point.ACK, error, forge=True) == made


@pytest.mark.parametrize(
    ("point", "frame"),
    [
        (Point.PUBLISH, "a Produce request"), (Point.DELIVER, "a Fetch answer with records"),
        (Point.ACK, "a commit"), (Point.CONTROL, "the named request"),
    ],
)  # fmt: skip
def test_the_rows_of_broker_faults_differ_only_in_point_and_frame(point, frame):
    """Made anew: the table's own were made when it was imported, before a mutant could be."""
    rows = [row for row in legality_kafka.KAFKA.rows if row.point == point]
    made = legality_kafka_brokers._process_rows(point, frame)
    acted = [row for row in rows if row.fault.endswith("_broker") or row.fault == "power_loss"]
    assert made == tuple(acted)
    assert len(made) == 4
    network = legality_kafka_brokers._network_row(point, frame)
    assert network == next(row for row in rows if row.fault == "partition")
    if point != Point.CONTROL:
        moved = legality_kafka_brokers._leader_row(point, frame)
        assert moved == next(row for row in rows if row.fault == "move_leader")


def test_a_forged_row_is_marked_on_its_page():
    table = legality_kafka.KAFKA
    marked = "\n* Forged: it takes `forge=True`, and the report says so.\n"
    assert marked not in legality_page(table)
    forged = replace(table, rows=(*table.rows[:-1], replace(table.rows[-1], forged=True)))
    assert legality_page(forged).count(marked) == 1


def test_a_profile_of_two_rules_tells_of_both():
    rules = (on.publish(nth=1).drop(), on.ack(nth=1).redeliver())
    page = profile_page(Profile(name="both", protocol="kafka", rules=rules))
    first, second = (legality.row("kafka", r.where.point, r.fault.verb).what for r in rules)
    assert f"\n\n{first}\n\n{second}\n" in page
