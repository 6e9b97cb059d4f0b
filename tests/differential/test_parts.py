"""The parts of the differential proof, without Apache Kafka."""

import pytest

from differential import embedded
from differential.campaign import Figures
from differential.compare import Difference, first
from differential.conversation import Conversation, Step, Topic
from differential.families.table import FAMILIES, generated
from differential.frames import VERSIONS
from differential.listed import listed
from differential.marks import Marks
from differential.players import CLOSED, Answer, waits
from differential.shrink import shrunk
from differential.verdict import REPEATS, Verdict, judged, unlisted


def produce(**batch):
    values = {
        "transactional_id": None, "acks": -1, "timeout": 1000,
        "topic_data": [{"name": "~a", "partition_data": [{"index": 0,
                                                          "records": {"$batch": batch}}]}],
    }  # fmt: skip
    return Step(api="Produce", version=9, values=values)


def talk(*steps):
    return Conversation(family="x", topics=[Topic(name="~a")], steps=steps)


INIT = Step(
    api="InitProducerId",
    version=4,
    values={"transactional_id": None, "transaction_timeout": 1000, "producer_id": -1,
            "producer_epoch": -1},
)  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_plays_on_the_embedded_cluster_and_twice_alike(family):
    for conversation in generated(family, 4, chance=5):
        answers = embedded.play(conversation)
        assert answers == embedded.play(conversation)
        assert any(isinstance(answer.what, dict) for answer in answers)
        assert Conversation.from_json(conversation.to_json()) == conversation
        for step in conversation.steps:
            low, high = VERSIONS[step.api]
            assert low <= step.version <= high


def test_the_same_chance_gives_the_same_conversations():
    assert generated("log", 5, chance=1) == generated("log", 5, chance=1)
    assert generated("log", 5, chance=1) != generated("log", 5, chance=2)


def test_ids_are_marks_in_what_is_compared():
    batch = {"count": 2, "producer": {"$producer": 0}, "epoch": 0, "sequence": 0}
    init, stored = embedded.play(talk(INIT, produce(**batch)))
    assert init.what["producer_id"] == "$producer 0"
    (topic,) = stored.what["responses"]
    assert topic["name"] == "~a"
    assert topic["partition_responses"][0]["error_code"] == "none"
    assert "throttle_time" not in stored.what


def test_a_difference_names_where_it_is_and_the_first_is_told():
    conversation = talk(INIT, INIT)
    ours = [Answer(0, {"a": [{"b": 1, "c": 2}]}), Answer(1, CLOSED)]
    theirs = [Answer(0, {"a": [{"b": 1, "c": 3}]}), Answer(1, None)]
    told = first(conversation, ours, theirs)
    assert (told.number, told.path, told.embedded, told.kafka) == (0, ".a[].c", 2, 3)
    assert first(conversation, ours, ours) is None
    assert first(conversation, ours, [ours[0], theirs[1]]).kafka is None


def test_what_waits_is_waited_for_after_the_step_that_answered_it():
    assert waits([Answer(2, {}), Answer(1, {}), Answer(2, CLOSED), Answer(-1, None)]) == [
        [], [1], [0, 2], [],
    ]  # fmt: skip


def test_a_conversation_is_cut_down_to_what_shows_the_difference():
    steps = [produce(count=n) for n in range(1, 12)]
    needed = (steps[3], steps[7])

    def shows(conversation):
        return all(step in conversation.steps for step in needed)

    assert list(shrunk(talk(*steps), shows, 7).steps) == list(needed)


def test_only_what_is_listed_has_a_reason():
    conversation = talk(produce(count=1), produce(count=1))
    unknown = Difference(1, "Produce", 9, ".responses[].x", "none", "corrupt_message")
    assert listed(conversation, unknown) is None
    dead = Difference(1, "DescribeGroups", 5, ".groups[].group_state", "Empty", "Dead")
    assert "nothing was written" in listed(conversation, dead).why
    alive = Difference(1, "DescribeGroups", 5, ".groups[].group_state", "Stable", "Dead")
    assert listed(conversation, alive) is None
    several = Difference(1, "DescribeGroups", 5, ".groups[].members", [], [{"member_id": "x"}])
    assert listed(conversation, several) is None
    assert Figures().conversations == 0


@pytest.mark.parametrize(
    ("nodes", "at", "path", "meant"),
    [
        (3, "follower:~a:0", ".high_watermark", True),
        (3, "follower:~a:0", ".responses[].partitions[].records", True),
        (3, "follower:~a:0", ".log_start_offset", False),
        (3, "leader:~a:0", ".high_watermark", False),
        (1, "follower:~a:0", ".high_watermark", False),
    ],
)
def test_only_followers_may_lag(nodes, at, path, meant):
    fetch = Step(api="Fetch", version=12, values={}, at=at)
    conversation = Conversation(family="x", topics=[], steps=[fetch], nodes=nodes)
    found = listed(conversation, Difference(0, "Fetch", 12, path, 3, 0))
    assert (found is not None) is meant


def test_an_unknown_mark_is_refused():
    with pytest.raises(KeyError):
        Marks("p-").resolve({"$nonsense": 1})
    assert Marks("p-").resolve({"name": "~a", "timeout": 5})["name"] == "p-a"


def said(*codes):
    return [Answer(at, {"error_code": code}) for at, code in enumerate(codes)]


def test_a_fault_is_what_kafka_never_answers_as_we_do():
    conversation, plays = talk(INIT, INIT), []

    def again():
        plays.append(1)
        return said("none", "other")

    verdict = judged(conversation, said("none", "ours"), said("none", "theirs"), again)
    assert (verdict.fault.embedded, verdict.fault.kafka) == ("ours", "other")
    assert verdict.varies is None
    assert len(plays) == REPEATS


def test_where_kafka_disagrees_with_itself_both_are_right_and_it_is_told():
    turns = iter(["theirs", "ours", "theirs", "theirs", "ours"])
    verdict = judged(talk(INIT), said("ours"), said("theirs"), lambda: said(next(turns)))
    assert (verdict.fault, verdict.agreed, verdict.varies.kafka) == (None, 2, "theirs")


def test_what_is_alike_is_not_asked_again():
    verdict = judged(talk(INIT), said("none"), said("none"), pytest.fail)
    assert verdict == Verdict()


def test_behind_an_answer_with_what_is_listed_all_is_still_compared():
    unknown = {"error_code": "none", "group_state": "Empty"}, {"error_code": "none",
                                                              "group_state": "Dead"}  # fmt: skip
    describe = Step(api="DescribeGroups", version=5, values={"groups": ["~g"]})
    conversation = talk(describe, INIT)
    ours = [Answer(0, unknown[0]), Answer(1, {"error_code": "none"})]
    theirs = [Answer(0, unknown[1]), Answer(1, {"error_code": "fenced"})]
    told, reasons = unlisted(conversation, ours, theirs)
    assert (told.number, len(reasons)) == (1, 1)
