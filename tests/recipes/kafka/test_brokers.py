"""What befalls brokers: the frame waits, the controller is told whose it is, then it goes on."""

import pytest

from pytest_mqchaos.frames import Point, Position, Record
from tests.recipes.steps import Steps, request, said

SENT = (Record("t", 2, -1, None, b""), Record("t", 2, -1, None, b""), Record("u", 0, -1, None, b""))
PLACES = "places=[['t', 2], ['u', 0]]"
DONE = {"done": True}
VERBS = {
    "kill_broker": "broker killed",
    "pause_broker": "broker paused",
    "restart_broker": "broker restarted",
    "power_loss": "broker lost its power",
    "move_leader": "leader moved",
    "partition": "brokers cut off from each other",
}


def at(verb, acks=-1, **fault):
    frame = request(acks=acks)
    return Steps("publish", verb, frame, said(records=SENT, acks=acks), **fault)


@pytest.mark.parametrize(("verb", "note"), VERBS.items())
def test_the_frame_waits_until_it_is_done_and_goes_on(verb, note):
    steps = at(verb)
    held, asked = steps.first()
    assert held == "hold P"
    assert asked.startswith(f"ask {verb} ")
    assert PLACES in asked
    assert steps.answered(DONE) == [f"effect: {note}", "forward P", "done"]


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_not_done_is_told_and_the_frame_goes_on(verb):
    steps = at(verb)
    steps.first()
    assert steps.answered({"refused": "it cannot"}) == ["forward P", "unharmed: it cannot", "done"]


def test_the_controllers_own_words_are_the_note():
    steps = at("move_leader", to=3)
    assert "to=3" in steps.first()[1]
    assert steps.answered({"done": True, "note": "t-2: node 1 -> node 3"})[0] == (
        "effect: t-2: node 1 -> node 3"
    )


def test_a_commit_tells_its_group_and_where_it_stands():
    sighting = said(Point.ACK, positions=(Position("t", 1, 7),), group="g")
    steps = Steps("ack", "kill_broker", request("OffsetCommit"), sighting, target="coordinator")
    assert steps.first()[1] == (
        "ask kill_broker group=g places=[['t', 1]] restart_after=None target=coordinator "
        "transactional_id=None"
    )


def unreplicated(acks):
    steps = at("kill_broker", acks, unreplicated=True)
    assert steps.first() == [
        "hold P",
        f"ask hold_replication group=None {PLACES} transactional_id=None",
    ]
    return steps


def test_an_unreplicated_kill_lets_the_leader_confirm_alone_and_the_client_read_it():
    steps = unreplicated(1)
    assert steps.answered(DONE) == ["forward P", "gate TO_BROKER", "wake +5000"]
    assert steps.replied() == ["forward R", "wake +30"]
    (kill,) = steps.timer(30)
    assert kill.startswith("ask kill_broker ")
    (release,) = steps.answered(DONE)
    assert release.startswith("ask release_replication ")
    assert steps.answered(DONE) == [
        "effect: leader killed after it had confirmed it alone, unreplicated",
        "done",
    ]


def test_a_leader_that_waits_for_its_followers_dies_before_it_confirms():
    steps = unreplicated(-1)
    assert steps.answered(DONE) == ["forward P", "gate TO_BROKER", "wake +300"]
    assert steps.timer(300)[0].startswith("ask kill_broker ")
    steps.answered(DONE)
    assert steps.answered(DONE) == [
        "effect: leader killed before it could confirm it, unreplicated",
        "done",
    ]


def test_nobody_answers_without_acks_so_nothing_is_waited_for_long():
    steps = unreplicated(0)
    assert steps.answered(DONE)[-1] == "wake +90"
    assert steps.timer(90)[0].startswith("ask kill_broker ")


def test_what_the_leader_refuses_cannot_be_lost():
    steps = unreplicated(1)
    steps.answered(DONE)
    steps.replied(code=6)
    steps.timer(30)
    steps.answered(DONE)
    (unharmed, _) = steps.answered(DONE)
    assert unharmed == "unharmed: the leader refused the message: there was nothing to lose"


def test_without_a_follower_nothing_is_done():
    steps = unreplicated(1)
    answer = steps.answered({"refused": "t-2 has one replica"})
    assert answer == ["forward P", "unharmed: t-2 has one replica", "done"]


def test_replication_goes_on_where_the_leader_could_not_be_killed():
    steps = unreplicated(1)
    steps.answered(DONE)
    steps.closed()
    (release,) = steps.answered({"refused": "it is no process of ours"})
    assert release.startswith("ask release_replication ")
    assert steps.answered(DONE) == ["unharmed: it is no process of ours", "done"]
