"""Profiles: legal, documented, placed; bundles; the user's own."""

import re

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.check import check
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.profiles import BUNDLES, PROFILES, expand, own_profiles, profile
from pytest_mqchaos.plan.rules import Plan

KAFKA = PROFILES["kafka"]


@pytest.mark.parametrize("name", KAFKA)
def test_every_profile_is_legal_and_never_forged(name):
    made = KAFKA[name]
    rows = check(made.plan(), "kafka", made.needs)
    assert rows == made.rows
    assert made.rules
    assert not any(rule.forge or rule.optional for rule in made.rules)
    assert Plan.from_text(repr(made.plan())) == made.plan()


@pytest.mark.parametrize("name", KAFKA)
def test_every_profile_tells_its_story(name):
    made = KAFKA[name]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert all((made.title, made.cause, made.consequence, made.passes, made.fails))
    assert made.covers
    assert all(re.fullmatch(r"R([1-9]|[123]\d|40)", item) for item in made.covers)


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("lost-confirm", Plan(on.confirm(nth=1).drop())),
        ("redelivery", Plan(on.ack(nth=2).redeliver())),
        ("crash-after-ack", Plan(on.ack(nth=1).crash_worker("after"))),
        ("broker-kill", Plan(on.publish(nth=2).kill_broker(restart_after=1.0))),
    ],
)
def test_default_positions_are_the_earliest_that_serve(name, plan):
    assert profile(name, "kafka") == plan


def test_positions_of_a_clean_run_replace_the_defaults():
    placed = profile("redelivery", "kafka", positions={Point.ACK: 7, Point.PUBLISH: 3})
    assert placed == Plan(on.ack(nth=7).redeliver())
    assert profile("redelivery", "kafka", positions={Point.PUBLISH: 3}) == profile(
        "redelivery", "kafka"
    )


def test_only_broker_faults_need_a_broker_that_can():
    needing = {name: item.needs for name, item in KAFKA.items() if item.needs}
    assert needing == {
        "broker-restart": ("Killable",),
        "broker-kill": ("Killable",),
        "broker-pause": ("Pausable",),
        "leader-kill": ("Clustered", "Killable"),
        "unreplicated-leader-kill": ("Clustered", "Killable", "ReplicationHoldable"),
        "power-loss": ("Clustered", "PowerLosable"),
        "network-partition": ("Clustered", "Partitionable"),
    }


def test_bundles_grow_and_hostile_has_all_that_any_service_may_meet():
    bundles = {name: {item.name for item in expand(name, "kafka")} for name in BUNDLES["kafka"]}
    assert bundles["quick"] < bundles["standard"] < bundles["hostile"]
    assert bundles["hostile"] | bundles["transactions"] | {"retention"} == set(KAFKA)
    assert not any(item.needs for item in expand("standard", "kafka"))


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(
        UsageError, match=r"kafka profile 'lost-confrim'. Did you mean 'lost-confirm"
    ):
        profile("lost-confrim", "kafka")
    with pytest.raises(UsageError, match=r"unknown protocol 'x'"):
        expand("quick", "x")


def test_a_bundle_is_not_one_plan():
    with pytest.raises(
        UsageError, match=r"'quick' is a bundle of profiles, not one: lost-confirm, "
    ):
        profile("quick", "kafka")


def test_own_profiles_are_rules_plans_or_tokens():
    two = Plan(on.ack(nth=2).redeliver(), seed=9)
    own = own_profiles(
        {
            "second-confirm": "on.confirm(nth=2).drop()",
            "both": ["on.confirm(nth=2).drop()", two.token],
        },
        "kafka",
    )
    assert profile("second-confirm", "kafka", own=own) == Plan(on.confirm(nth=2).drop())
    assert profile("both", "kafka", own=own) == Plan(
        on.confirm(nth=2).drop(), on.ack(nth=2).redeliver(), seed=9
    )
    assert expand("both", "kafka", own)[0].fair_to == "both"
    assert {name: made.name for name, made in own.items()} == {name: name for name in own}
    with pytest.raises(UsageError, match="Did you mean 'second-confirm'"):
        profile("second-confrm", "kafka", own=own)


def test_a_profile_of_ones_own_may_need_what_only_some_brokers_can():
    own = own_profiles({"kill": "on.publish(nth=1).kill_broker()"}, "kafka")
    assert own["kill"].needs == ("Killable",)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], r"must be a table, not \[\]"),
        ({"Loud": "on.ack().drop()"}, r"Loud: a profile's name is kebab-case"),
        ({"quick": "on.ack().drop()"}, "quick: this name is taken"),
        ({"redelivery": "on.ack().drop()"}, "redelivery: this name is taken"),
        ({"a": []}, r"a = \[\]: must be a rule such as"),
        ({"a": [1]}, r"a = \[1\]: must be a rule"),
        ({"a": ["on.ack().drop()", 1]}, r"a = \['on.ack\(\).drop\(\)', 1\]: must be a rule"),
        ({"a": 3}, "a = 3: must be a rule"),
        ({"a": "on.ack().dorp()"}, r"\[tool\.mqchaos\.profiles\] a: unknown fault 'dorp'"),
        ({"a": "on.deliver().drop()"}, "a: on.deliver.*cannot drop at deliver"),
        ({"a": "mq9.x"}, "a: 'mq9.x' is a plan token of version 9"),
    ],
)
def test_a_wrong_profile_of_ones_own_names_its_key(given, says):
    with pytest.raises(UsageError, match=says):
        own_profiles(given, "kafka")
