"""Several effects of one message, none of which says by whom: several services that each did it
once are not told from one that did it again, unless the rows tell."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mqchaos.checkers.exactly_once import exactly_once
from pytest_mqchaos.checkers.idempotent import idempotent
from tests.checkers.timeline import MS, run

BILLING = {"group": "billing", "owner": "worker-1#1"}
MAIL = {"group": "mail", "owner": "worker-2#1"}


def work(line, *whom, name="a", **effect):
    for who in whom:
        line.deliver(name, **who).effect(name, **{"owner": who["owner"], **effect}).ack(**who)
    return line


def two(**effect):
    return work(run().publish("a"), BILLING, MAIL, **effect)


@pytest.mark.parametrize("effect", [{}, {"owner": None}, {"owner": None, "timed": False}])
def test_each_of_two_groups_did_it_once_or_one_of_them_twice_nobody_knows(effect):
    verdict = two(**effect).ask(idempotent())
    assert verdict.status == "unknown"
    assert verdict.sentence == (
        "1 message with several effects that do not say by whom, of which several readers may "
        "each have done one ('a': delivered 2x (several readers), effect 2x)"
    )
    assert verdict.missing == (
        "'a' was handed to several groups (billing, mail): replicas of one service need one fixed "
        "group_id, effects of several services their names (by=...)"
    )
    assert [finding.id for finding in verdict.findings] == ["a"]
    assert two(**effect).ask(exactly_once()).status == "unknown"


def test_with_names_each_is_judged_by_itself():
    line = run().publish("a")
    for who in (BILLING, MAIL):
        line.deliver("a", **who).effect("a", by=who["group"]).ack(**who)
    assert line.ask(idempotent()).status == "passed"
    assert line.effect("a", by="mail").ask(idempotent()).status == "failed"


@pytest.mark.parametrize("owner", [None, "worker-2#1"])
def test_more_often_than_there_are_groups_is_a_repeat(owner):
    verdict = two(owner=owner).effect("a", owner=owner).ask(idempotent())
    assert verdict.status == "failed"
    assert verdict.findings[0].text == "delivered 2x (several readers), effect 3x"


def test_what_one_groups_worker_did_twice_is_a_repeat_though_another_group_read_it():
    line = run().publish("a").deliver("a", **BILLING).ack(**BILLING).deliver("a", **MAIL)
    line.effect("a", owner="worker-2#1").deliver("a", group="mail", owner="worker-2#2")
    verdict = line.effect("a", owner="worker-2#2").ack(**MAIL).ask(idempotent())
    assert verdict.status == "failed"
    assert verdict.findings[0].where == "redelivered"


def test_what_was_done_twice_before_the_second_group_had_it_is_a_repeat():
    line = run().publish("a").deliver("a", **BILLING).effect("a", owner=None)
    line.effect("a", owner=None).ack(**BILLING).deliver("a", **MAIL).ack(**MAIL)
    assert line.ask(idempotent()).status == "failed"
    late = run().publish("a").deliver("a", **BILLING).deliver("a", **MAIL)
    late.effect("a", owner=None, span=(2 * MS, 9 * MS)).effect("a", owner=None)
    assert late.ask(idempotent()).status == "unknown"


def test_a_service_that_names_its_group_anew_at_each_start_is_one():
    again = {"group": "billing-2", "owner": "worker-1#2"}
    line = work(run().publish("a"), BILLING, again)
    assert line.ask(idempotent()).status == "failed"
    verdict = work(line, MAIL).ask(idempotent())
    assert verdict.status == "failed"  # two did it three times
    both = {"group": "mail", "owner": "worker-1#1"}  # but what one life has at once are two
    assert work(run().publish("a"), BILLING, both).ask(idempotent()).status == "unknown"


def test_two_readers_outside_of_any_group_are_two():
    alone = {"group": None, "owner": "worker-1#1"}
    other = {"group": None, "owner": "worker-2#1"}
    line = run().publish("a").deliver("a", **alone).deliver("a", **other)
    line.effect("a", owner="worker-1#1")
    mixed = line.effect("a", owner="worker-2#1").ask(idempotent())
    assert mixed.status == "unknown"
    line.effects[1] = line.effects[1]._replace(owner="worker-1#1")
    assert line.ask(idempotent()).status == "failed"


def test_who_was_never_handed_it_may_have_done_it_for_either():
    assert two(owner="relay-1#1").ask(idempotent()).status == "unknown"


def staged(line, times):
    """`in` to `mid`; the second stage does it so often, from a delivery each."""
    line.publish("a").deliver("a", **BILLING)
    line.publish("a", topic="mid", owner="worker-1#1").ack(**BILLING)
    for life in range(1, times + 1):
        line.deliver("a", topic="mid", group="mail", owner=f"worker-2#{life}").effect(
            "a", owner=None
        )
    return line.ack(topic="mid", **MAIL)


@pytest.mark.parametrize("inputs", [("in",), ("in", "mid")])
def test_stages_of_a_pipeline_are_no_such_readers_and_what_they_pass_on_is_no_copy(inputs):
    passed = staged(run(inputs=inputs), 1).ask(idempotent())
    assert passed.sentence == "each of 1 message took effect once"
    verdict = staged(run(inputs=inputs), 2).ask(idempotent())
    assert verdict.status == "failed"
    assert verdict.findings[0].text == "delivered 3x (redelivered), effect 2x"
    assert verdict.advice == "record the processed id in the same transaction as the work"


def test_a_copy_in_one_of_its_topics_is_one():
    line = run(inputs=("in", "mid")).publish("a").log_add("a")
    verdict = staged(line, 1).effect("a").ask(idempotent())
    assert verdict.findings[0].text.startswith("stored 3x (copies)")


NUMBERS = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("deliver"), NUMBERS), st.tuples(st.just("effect"), NUMBERS | st.none())
)


@given(st.lists(STEPS, max_size=8))
def test_brute_force_agrees_who_may_have_done_it(steps):
    """Worker n reads for group n; what nobody recorded may be anybody's who was handed it."""
    line = run().publish("a")
    for what, who in steps:
        if what == "deliver":
            line.deliver("a", group=f"g{who}", owner=f"worker-{who}#1")
        else:
            line.effect("a", owner=None if who is None else f"worker-{who}#1")
    since = {}
    for row in line.deliveries:
        since.setdefault(int(row.group[1:]), row.t)

    def may(effect, reader):
        owner = None if effect.owner is None else int(effect.owner[7])
        own = owner not in since or owner == reader
        return own and since[reader] <= effect.t_to

    several = len(line.effects) > 1
    spread = len(since) > 1 and any(
        all(map(may, line.effects, readers)) for readers in permutations(since, len(line.effects))
    )
    status = "passed" if line.effects and not several else "unknown" if spread else "failed"
    assert line.ask(idempotent()).status == (status if line.effects else "unknown")


S1 = {"group": "first", "owner": "worker-1#1"}
S2 = {"group": "second", "owner": "worker-2#1"}


def handled(line, who, name="a", topic="in", *, owner=None, times=1, acks=True):
    line.deliver(name, topic=topic, **who)
    for _ in range(times):
        line.effect(name, owner=who["owner"] if owner is None else owner or None)
    if topic == "in":
        line.publish(name, topic="mid", owner=who["owner"])
    return line.ack(topic=topic, **who) if acks else line


def chained(line, name="a", first=1, **second):
    """`in` to `mid`, both stages with so many effects."""
    handled(line.publish(name), S1, name, times=first, owner=second.get("owner"))
    return handled(line, S2, name, "mid", **second)


@pytest.mark.parametrize("owner", [None, ""])
def test_each_stage_of_a_chain_may_have_done_it_once(owner):
    verdict = chained(run(), owner=owner).ask(idempotent())
    assert verdict.status == "unknown"
    assert verdict.sentence == (
        "1 message with several effects that do not say by whom, of which several readers may "
        "each have done one ('a': delivered 2x, effect 2x)"
    )
    assert "by" in verdict.missing
    assert chained(run(), owner=owner).ask(exactly_once()).status == "unknown"


@pytest.mark.parametrize(("first", "second"), [(0, 2), (2, 0), (2, 1)])
def test_what_the_worker_of_one_stage_did_twice_is_a_repeat(first, second):
    assert chained(run(), first=first, times=second).ask(idempotent()).status == "failed"


def test_more_often_than_there_are_stages_or_before_the_second_had_it_is_a_repeat():
    assert chained(run(), owner="", times=2).ask(idempotent()).status == "failed"
    early = chained(run(), owner="", first=2, times=0)
    assert early.ask(idempotent()).status == "failed"


def again(line, name="a", times=1, **more):
    """The second stage is killed before its ack, and handed it again."""
    chained(line, name, acks=False, owner="", **more)
    line.deliver(name, topic="mid", group="second", owner="worker-2#2")
    for _ in range(times):
        line.effect(name, owner=None)
    return line.ack(topic="mid", group="second", owner="worker-2#2")


def test_a_stage_that_was_handed_it_again_and_knows_it_has_done_it_once():
    assert again(run(), times=0).ask(idempotent()).status == "unknown"
    others = again(chained(run(), "b", owner=""), times=0)
    assert others.ask(idempotent()).status == "unknown"


def test_where_one_stage_alone_works_what_it_was_handed_again_and_did_twice_is_a_repeat():
    """The first one had acked it by then; without times, other messages show it."""
    line = again(run(), first=0)
    assert line.ask(idempotent()).status == "failed"
    line.effects = [e._replace(t_from=0, t_to=0) for e in line.effects]
    assert line.ask(idempotent()).status == "unknown"
    line = again(chained(run(), "b", first=0, owner=""), first=0)
    line.effects = [e._replace(t_from=0, t_to=0) for e in line.effects]
    verdict = line.ask(idempotent())
    assert verdict.status == "failed"
    assert verdict.findings[0].text == "delivered 3x (redelivered), effect 2x"


def test_messages_that_are_not_done_yet_show_nothing():
    line = chained(again(run(), times=0), "b", times=0, owner="", acks=False)
    assert line.ask(idempotent()).status == "unknown"


def test_who_reads_the_retry_destination_works_for_another():
    line = run().publish("a").deliver("a", **S1).effect("a", owner="worker-1#1")
    line.publish("a", topic="retry", owner="worker-1#1").ack(**S1)
    line.deliver("a", topic="retry", **S2).effect("a", owner="worker-2#1").ack(topic="retry", **S2)
    assert line.ask(idempotent()).status == "failed"


@pytest.mark.parametrize(
    ("first", "later", "status"),
    [("worker-2", "worker-3", "failed"), ("worker-3", "worker-3", "failed"),
     ("worker-1", "worker-3", "unknown"), (None, "worker-3", "unknown")],
)  # fmt: skip
def test_who_reads_the_retry_destination_of_a_stage_works_for_that(first, later, status):
    """`in` to `mid`, whose reader puts it off: the third worker is handed it then."""
    line = chained(run(), first=0, times=0)
    line.publish("a", topic="retry", owner="worker-2#1")
    line.deliver("a", topic="retry", group="put off", owner="worker-3#1")
    for owner in (first, later):
        line.effect("a", owner=owner and f"{owner}#1")
    line.ack(topic="retry", group="put off", owner="worker-3#1")
    assert line.ask(idempotent()).status == status
