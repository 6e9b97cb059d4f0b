"""Marks stand for what a broker made up, and for what it told last."""

import uuid
from types import SimpleNamespace

from differential.families.table import generated
from differential.marks import Marks

TOPIC = uuid.UUID(int=7)
ID = "0a1b2c3d-0000-4000-8000-0123456789ab"


def told(member, epoch, *partitions):
    one = SimpleNamespace(topic_id=TOPIC, partitions=partitions)
    assignment = SimpleNamespace(topic_partitions=[one]) if partitions else None
    return SimpleNamespace(member_id=member, member_epoch=epoch, assignment=assignment)


def test_a_member_of_the_newer_protocol_says_the_epoch_and_the_partitions_it_was_told_last():
    marks = Marks("p-")
    assert marks.resolve({"epoch": {"$epoch": 0}, "owned": {"$owned": 0}}) == {
        "epoch": 0, "owned": [],
    }  # fmt: skip
    marks.learn(told("m", 4, 0, 1))
    marks.learn(told("m", 5))
    owned = [{"topic_id": TOPIC.bytes, "partitions": [0, 1]}]
    assert marks.resolve([{"$epoch": 0}, {"$owned": 0}]) == [5, owned]
    marks.learn(told("m", -1))
    assert marks.resolve({"$epoch": 0}) == 0


def test_an_id_that_nobody_was_told_yet_is_told_from_a_name():
    marks = Marks("p-")
    marks.learn(SimpleNamespace(member_id=f"differential-{ID}"))
    assert marks.member(f"differential-{ID}") == "$member 0"
    assert marks.member("p-i-" + ID.replace("0a1b", "ffff")) == "$member ?"
    assert marks.member("nobody") == "nobody"


def test_what_hashes_of_names_decide_is_not_asked_on_several_nodes():
    alone = [step for each in generated("consumer-groups", 15, 1) for step in each.steps]
    several = [step for each in generated("consumer-groups", 15, 1, 3) for step in each.steps]
    assert "ListGroups" in {step.api for step in alone}
    assert "ListGroups" not in {step.api for step in several}
    groups = {step.values.get("group_id", "~g") for step in several if step.at == "group:~g"}
    assert groups == {"~g"}
