"""Settling against a world that a test moves, on a clock that stands still: no real time passes."""

import pytest

from pytest_mqchaos.chaos import settling
from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.pace import done
from pytest_mqchaos.chaos.settling import Limits, Settled, settle
from pytest_mqchaos.errors import WaitTimeout

LIMITS = Limits(progress=15, effects=2, start=20)


class World:
    """What is watched; `at` says what happens when that many seconds have passed."""

    free = False

    def __init__(self, **now):
        self.seconds = 0.0
        self.at = {}
        self.now = {
            "moved": 0, "open_publishes": 0, "held": 0, "dark": 0, "behind": [], "unheard": [],
            "new": False, "past": [], "missing": 0, "unanswered": [], "failed": None,
            "unfired": [], "late": [], "idle": False, "foreign": False, "left_open": [],
            "gained": 0, "entries": 0, "beginning": [],
        } | now  # fmt: skip

    def clock(self):
        return round(self.seconds * settling.SECOND)

    async def pause(self, seconds):
        self.seconds += seconds
        for instant in [instant for instant in self.at if instant <= self.seconds]:
            self.now |= self.at.pop(instant)

    def status(self):
        return {
            name: self.now[name] for name in ("moved", "open_publishes", "held", "dark", "entries")
        }

    def look(self):
        new, self.now["new"] = self.now["new"], False
        if isinstance(new, WaitTimeout):
            self.now["new"] = new
            raise new
        return new

    def unfired(self, *, control):
        return self.now["unfired" if control else "late"]

    def __getattr__(self, name):
        return lambda: self.now[name]

    def settle(self, until="positions", timeout=None):
        found = done(settle(self, until=until, limits=LIMITS, timeout=timeout, pace=self))
        return Settled(seconds=round(found.seconds), waiting=found.waiting, behind=found.behind)


def test_a_quiet_world_has_settled_after_the_window():
    world = World()
    assert world.settle() == Settled(seconds=0)
    assert world.seconds >= settling.WINDOW


def test_time_in_which_this_process_had_no_turn_is_no_quiet():
    """Its workers may have had none either."""
    world, late = World(), [10]

    async def pause(seconds):
        world.seconds += seconds + (late.pop() if late else 0)

    world.pause = pause
    world.settle()
    assert world.seconds > 10 + settling.WINDOW - settling.PAUSE


def test_what_moves_while_we_ask_has_not_settled():
    world = World()
    asked = []

    def missing():
        asked.append(world.seconds)
        if len(asked) == 1:
            world.now["moved"] = 1
        return 0

    world.missing = missing
    world.settle()
    assert len(asked) == 2
    assert asked[1] - asked[0] >= settling.WINDOW


def test_effects_on_a_broker_that_is_down_are_looked_at_when_it_is_back():
    world = World(new=WaitTimeout("node 1 is not running"))
    world.at = {10: {"new": True}}
    assert world.settle() == Settled(seconds=10)
    gone = World(new=WaitTimeout("node 1 is not running"))
    assert gone.settle() == Settled(seconds=15, waiting=("node 1 is not running",))


def test_what_moves_is_waited_for_and_the_limit_counts_from_the_last_move():
    world = World(behind=["group g stands at 1 of 2 in t-0"])
    world.at = {10: {"moved": 1}, 20: {"moved": 2}, 30: {"moved": 3, "behind": []}}
    assert world.settle() == Settled(seconds=30)


def test_a_new_effect_is_progress_too():
    world = World(behind=["b"])
    world.at = {10: {"new": True}, 24: {"behind": []}}
    assert world.settle() == Settled(seconds=24)


REASONS = [
    ({"open_publishes": 2}, 15, ("2 publishes without an answer",), False),
    ({"held": 1}, 75, ("1 frames held by a rule",), False),
    ({"dark": 1}, 75, ("1 dark connections",), False),
    ({"unheard": ["worker-1#1 has not been heard of yet"]}, 20, None, False),
    ({"behind": ["group g stands at 1 of 2"]}, 15, None, True),
    ({"behind": ["group g stands at 1 of 2"], "idle": True}, 1, None, True),
    ({"unfired": ["on.control(api='Heartbeat').drop() has not fired"]}, 15, None, False),
    ({"unanswered": ["worker-1#1 has no answer to its publish of a to t"]}, 5, None, False),
    ({"missing": 3}, 2, ("3 messages without an effect",), False),
    ({"late": ["on.confirm(nth=3).drop() has not fired"]}, 2, None, False),
    ({"beginning": ["group g has acked nothing of mid yet"]}, 2, None, False),
]


@pytest.mark.parametrize(("now", "limit", "waiting", "behind"), REASONS)
def test_each_reason_has_its_limit_and_is_named_when_it_comes(now, limit, waiting, behind):
    world = World(**now)
    told = waiting or tuple(next(iter(now.values())))
    assert world.settle() == Settled(seconds=limit, waiting=told, behind=behind)


def test_whoever_works_past_the_links_is_not_waited_for_as_long():
    silent = {"unheard": ["worker-1#1 has not been heard of yet"], "past": ["group g reads past"]}
    told = ("worker-1#1 has not been heard of yet", "group g reads past")
    assert World(**silent).settle() == Settled(seconds=2, waiting=told)
    # Something is still owed: the worker may only be late.
    assert World(**silent, missing=1).settle().seconds == 20


@pytest.mark.parametrize(("now", "limit", "waiting", "behind"), REASONS)
def test_each_reason_that_goes_away_lets_it_settle(now, limit, waiting, behind):
    world = World(**now)
    world.at = {limit / 2: {name: type(value)() for name, value in now.items()}}
    assert world.settle().waiting == ()


def test_a_rule_that_waits_may_wait_for_the_first_ack_of_a_next_stage():
    world = World(beginning=["group g has acked nothing of mid yet"], late=["r has not fired"])
    assert world.settle() == Settled(
        seconds=15, waiting=("r has not fired", "group g has acked nothing of mid yet")
    )
    world = World(beginning=["group g has acked nothing of mid yet"])
    assert world.settle(until="effects").waiting == ()


def test_a_timeout_replaces_the_limit_of_progress_also_of_what_is_dark():
    assert World(behind=["b"]).settle(timeout=4).seconds == 4
    assert World(dark=1).settle(timeout=4).seconds == 4
    assert World(missing=1).settle(timeout=1).seconds == 1


LEFT_OPEN = "records in totals behind a transaction that nobody ended"


@pytest.mark.parametrize("now", [{"behind": ["g stands at 1 of 2"]}, {"missing": 3}, {}])
def test_what_a_dead_producer_left_open_is_waited_for_until_it_has_timed_out(now):
    world = World(left_open=[LEFT_OPEN], **now)
    world.at = {60: {"left_open": [], "behind": [], "missing": 0}}
    assert world.settle() == Settled(seconds=60)
    for_ever = World(left_open=[LEFT_OPEN], **now).settle()
    assert for_ever.seconds == 75
    assert for_ever.waiting[-1] == LEFT_OPEN
    assert World(left_open=[LEFT_OPEN], **now).settle(timeout=4).seconds == 4


def test_where_nobody_is_left_to_read_on_a_transaction_is_not_waited_for():
    world = World(behind=["g stands at 1 of 2"], left_open=[LEFT_OPEN], idle=True)
    assert world.settle() == Settled(seconds=1, waiting=("g stands at 1 of 2",), behind=True)


@pytest.mark.parametrize(("free", "timeout", "limit"), [(True, None, 15), (False, 40, 40)])
def test_effects_behind_the_commit_have_as_long_as_progress(free, timeout, limit):
    """Where waiting costs nothing, or where somebody says how long."""
    world = World(missing=1)
    world.free = free
    assert world.settle(timeout=timeout).seconds == limit
    world = World(missing=1)
    world.free = free
    world.at = {limit - 5: {"missing": 0, "new": True}}
    assert world.settle(timeout=timeout).waiting == ()
    for nothing in ({"idle": True}, {"foreign": True}):  # nobody is left, or no id is a message's
        world = World(missing=1, **nothing)
        world.free = free
        assert world.settle(timeout=timeout).seconds == 2


def test_until_effects_leaves_positions_alone_and_waits_for_effects_as_long():
    world = World(behind=["b"], missing=1)
    assert world.settle(until="effects") == Settled(
        seconds=15, waiting=("1 messages without an effect",), behind=True
    )
    world = World(behind=["b"])
    assert world.settle(until="effects") == Settled(seconds=0)


def test_rules_that_may_still_fire_are_not_waited_for_when_nobody_is_left():
    world = World(unfired=["on.control() has not fired"], late=["on.ack()..."], idle=True)
    assert world.settle() == Settled(seconds=0)


def test_a_failed_worker_ends_the_wait_at_once():
    world = World(behind=["b"])
    world.at = {3: {"failed": LookupError("x")}}
    assert world.settle() == Settled(seconds=3)


def test_limits_are_those_of_the_configuration():
    config = Config(settle_timeout=1, effect_timeout=2, start_timeout=3)
    assert Limits.of(config) == Limits(progress=1, effects=2, start=3)


def test_the_end_of_what_was_under_way_is_not_yet_quiet():
    """A client that gave up on a dark link reconnects and sends again a moment later."""
    world = World(dark=1)
    world.at = {0.5: {"dark": 0}, 0.6: {"open_publishes": 1, "moved": 1}, 3: {"open_publishes": 0}}
    assert world.settle() == Settled(seconds=3)


class Circle(World):
    """Something moves whenever it is looked at."""

    def status(self):
        self.now["moved"] += 1
        return super().status()


def test_what_moves_in_a_circle_is_not_waited_for_for_ever():
    settled = Circle().settle()
    assert settled.waiting == (settling.IN_A_CIRCLE,)
    assert not settled.behind
    assert 75 <= settled.seconds <= 151
    assert Circle().settle(timeout=10).seconds <= 21
    many = Circle()
    many.at = {n / 10: {"entries": 200 * n} for n in range(1, 750)}
    assert 5 <= many.settle().seconds <= 11


@pytest.mark.parametrize("news", [{"gained": 1}, {"new": True}])
def test_what_comes_of_it_begins_the_wait_anew(news):
    world = Circle()
    world.at = {140: news}
    assert 214 <= world.settle().seconds <= 300
