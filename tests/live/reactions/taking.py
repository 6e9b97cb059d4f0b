"""How consumers are run for the table, and what they saw in words: which commits failed, how much
was handed out again, whether the member stood still until its session was over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from tests.conformance.consuming import TAKERS
from tests.conformance.conversing import conversation
from tests.conformance.producing import SENDERS, errors
from tests.live.reactions.case import said
from tests.live.reactions.producers import fired

TWENTY = [f"p{n}" for n in range(1, 21)]
SESSION = {"aiokafka": 10.0, "confluent": 45.0, "kafka-python": 45.0}  # their own defaults
SHORT_SESSION = 6.0  # as short as a broker allows
# Our own way to run kafka-python takes one message a poll; here it is to do as it does by itself.
DEFAULTS = {"aiokafka": {}, "confluent": {}, "kafka-python": {"max_poll_records": 500}}
LIMIT = 50  # seconds one consumer may take
LONG = 150  # the same where it waits for its own time-outs
FEW = 2


def settings(client, **given):
    """The same words for each client: session_timeout_ms -> session.timeout.ms for librdkafka."""
    if client != "confluent":
        return given
    return {name.replace("_", "."): value for name, value in given.items()}


def short_session(client, **more):
    """Settings of a member that is taken for dead as soon as a broker allows."""
    return settings(client, session_timeout_ms=int(SHORT_SESSION * 1000), **more)


def fill(seen, each=10):
    """p1..p10 in the first partition, p11..p20 in the second; or the first few of these."""
    for partition in range(2):
        ids = TWENTY[partition * 10 :][:each]
        sent = SENDERS["aiokafka"](
            seen.servers, seen.topic, ids, together=True, partition=partition
        )
        assert errors(sent) == {}


def many(number):
    """A number where it says something, else that there are several."""
    return str(number) if number <= FEW else "several"


def failures(steps):
    """What commits raised."""
    wrong = [step.error for step in steps if step.error is not None]
    if not wrong:
        return "every commit OK"
    return f"{many(len(wrong))} failed: {', '.join(dict.fromkeys(wrong))}"


def again(steps):
    """How many were handed out more than once."""
    count = len(steps) - len({step.id for step in steps})
    return f"{many(count)} redelivered"


def stood_still(seen, session):
    """Whether nothing was handed out or committed for as long as a session lasts."""
    history = seen.chaos.history
    at = sorted(row.t for row in (*history.acks, *history.deliveries))
    gap = max((b - a for a, b in pairwise(at)), default=0) / 1e9
    return "stalls its session" if gap >= 0.9 * session else "at once"


def covered(each=10):
    """A question for `last`: is the last message of either partition committed? Positions are
    cumulative, so a failed commit before it does not matter any more."""
    last = {TWENTY[each - 1], TWENTY[10 + each - 1]}
    return lambda steps: {step.id for step in steps if step.error is None} >= last


def take(seen, case, *, first=None, each=10):
    """One member takes and commits everything."""
    return TAKERS[case.client](
        seen.servers, seen.topic, seen.group, last=covered(each), first=first,
        limit=LONG if case.long else LIMIT, work=case.options.get("work", 0.0),
        **DEFAULTS[case.client] | case.settings,
    )  # fmt: skip


def consequence(seen, case, steps):
    """The line of a consumer's case."""
    session = case.options.get("session", SESSION[case.client])
    return said(failures(steps), again(steps), stood_still(seen, session), *fired(seen, case))


def one_member(broker, case):
    """The rule from the start."""
    with conversation(broker, *case.rules, partitions=2) as seen:
        fill(seen)
        return consequence(seen, case, take(seen, case))


def in_work(broker, case):
    """The rule is armed while the first message is in work, for heartbeats."""
    with conversation(broker, partitions=2) as seen:
        fill(seen, 5)
        steps = take(seen, case, each=5, first=lambda: seen.chaos.arm(*case.rules))
        return consequence(seen, case, steps)


def two_members(broker, case):
    """c1 and c2 share a group, a partition each; messages come when both have theirs."""
    with conversation(broker, *case.rules, partitions=2) as seen, ThreadPoolExecutor(2) as pool:
        steps = {"c1": [], "c2": []}

        def member(name):
            def last(mine):
                steps[name] = list(mine)
                return covered()([step for some in steps.values() for step in some])

            TAKERS[case.client](
                seen.servers, seen.topic, seen.group, last=last, limit=LIMIT,
                **DEFAULTS[case.client] | case.settings | settings(case.client, client_id=name),
            )  # fmt: skip

        running = [pool.submit(member, name) for name in steps]
        seen.chaos.wait_for(lambda: shared(seen), 30, "both members to have a partition")
        fill(seen)
        for one in running:
            one.result(LIMIT)
        every = [step for some in steps.values() for step in some]
        return consequence(seen, case, every)


def shared(seen):
    """Whether the group has two members and is at rest."""
    groups = seen.chaos.host.side.direct.groups()
    mine = [group for group in groups if group.name == seen.group]
    return bool(mine) and mine[0].state == "Stable" and len(mine[0].members or ()) == FEW
