"""A consumer's process is killed: between its work and its commit (case 15), or in the middle of
its work while its client commits in the background (case 16)."""

from __future__ import annotations

from tests.conformance.consuming import CLIENTS
from tests.conformance.conversing import conversation
from tests.conformance.producing import SENDERS
from tests.live.reactions.case import TEN, Case, said, series
from tests.live.reactions.handling import handle
from tests.live.reactions.producers import fired
from tests.live.reactions.taking import TWENTY, fill, shared

LIMIT = 60
STUCK = "p4"
A, C, K = CLIENTS


def handled(seen):
    """Which messages were handed out twice, and which were never done."""
    history = seen.chaos.history
    attempts = [row.id for row in history.handled or ()]
    done = {row.id for row in history.effects or ()}
    sent = [one for one in TWENTY if one in {row.id for row in history.stored}]
    twice = [one for one in sent if attempts.count(one) > 1]
    lost = [one for one in sent if one not in done]
    return said(
        f"{series(twice)} redelivered" if twice else "none redelivered",
        f"{series(lost)} lost" if lost else "none lost",
    )


def done(seen, *ids):
    """Wait until each of these was handled to its end."""

    def all_there():
        return {row.id for row in seen.chaos.history.effects or ()} >= set(ids)

    seen.chaos.wait_for(all_there, LIMIT, f"{ids} to be handled")


def worker(seen, case, **more):
    """The code under test in a process of its own."""
    return seen.chaos.worker(
        handle, case.client, seen.chaos.bootstrap_servers, seen.topic, seen.group, process=True,
        settings=dict(case.settings), **more,
    )  # fmt: skip


def restarted(broker, case):
    """Killed between work and commit, started again at once."""
    with conversation(broker, *case.rules) as seen:
        SENDERS["aiokafka"](seen.servers, seen.topic, TEN, together=True)
        with worker(seen, case):
            done(seen, TEN[-1])
        return said(handled(seen), *fired(seen, case))


def taken_over(broker, case):
    """The same with a second member, which takes over; the dead one stays dead."""
    with conversation(broker, *case.rules, partitions=2) as seen:
        with worker(seen, case, count=2, restart=False):
            seen.chaos.wait_for(lambda: shared(seen), LIMIT, "both to have a partition")
            fill(seen)
            done(seen, "p10", "p20")
        words = handled(seen)
        return said(_one(words), *fired(seen, case))


def _one(words):
    """Which of the two partitions the killed one had is chance."""
    return words.replace("13 redelivered", "3 redelivered")


def in_work(broker, case):
    """Auto-commit: killed while it works on the fourth, by the rule or, where it has none, by
    `worker.crash()` after so many heartbeats."""
    beats = case.options.get("beats", 0)
    with conversation(broker, *case.rules) as seen:
        SENDERS["aiokafka"](seen.servers, seen.topic, TEN, together=True)
        with worker(seen, case, stuck=STUCK, commit=False) as handle_:
            if beats:
                _after(seen, beats)
                handle_.crash()
            done(seen, TEN[-1])
        return said(handled(seen), *(fired(seen, case) if case.rule else ()))


def _after(seen, beats):
    """So many heartbeats after work on the fourth began: a clock that is on the wire."""

    def stuck():
        return STUCK in {row.id for row in seen.chaos.history.handled or ()}

    seen.chaos.wait_for(stuck, LIMIT, "the fourth message to be in work")
    clock = seen.chaos.arm(_clock())
    seen.chaos.wait_for(lambda: clock.matched >= beats, LIMIT, f"{beats} heartbeats")


def _clock():
    from pytest_mqchaos import on

    return on.control(api="Heartbeat", nth=100_000).sever(optional=True)


def _row(
    section, name, client, mode, rule, *, run, line, why="", settings=None, long=False, **more
):
    return Case(
        section=section, name=name, client=client, mode=mode, rule=rule, run=run, expected=(line,),
        settings=settings or {}, options=more, why=why, long=long,
    )  # fmt: skip


BEAT = {"heartbeat_interval_ms": 100}
LEFT = "a real LeaveGroup for the dead member: sooner than its session time-out"


def _killed():
    for client in CLIENTS:
        yield _row(
            "15", "killed before the commit, restarted", client, "one member",
            "on.ack(nth=3).crash_worker()", run=restarted,
            line="3 redelivered; none lost", why=LEFT,
        )  # fmt: skip
        yield _row(
            "15", "killed before the commit, the other takes over", client, "two members",
            "on.ack(nth=3, client='worker-1').crash_worker()", run=taken_over,
            line="3 redelivered; none lost", why=LEFT,
        )  # fmt: skip


def _committing_by_itself():
    often = {"enable_auto_commit": True, "auto_commit_interval_ms": 500, **BEAT}
    seldom = often | {"auto_commit_interval_ms": 60_000}
    covered = "on.ack(nth=4).crash_worker('after')"
    name = "killed in the work, after the commit interval"
    for client in (A, C):
        yield _row(
            "16", name, client, "auto-commit", covered, run=in_work,
            line="none redelivered; 4 lost",
            settings=often, why="killed at the commit frame that covers it",
        )  # fmt: skip
        yield _row(
            "16", "killed in the work, after the default 5 s", client, "auto-commit", covered,
            run=in_work, line="none redelivered; 4 lost", long=True,
            settings={"enable_auto_commit": True},
        )  # fmt: skip
    yield _row(
        "16", name, K, "auto-commit", "", run=in_work, line="1..4 redelivered; none lost",
        settings=often, beats=20, why="it commits inside poll() only: no frame to kill it at",
    )  # fmt: skip
    for client in CLIENTS:
        yield _row(
            "16", "killed in the work, before the commit interval", client, "auto-commit", "",
            run=in_work, line="1..4 redelivered; none lost", settings=seldom, beats=2,
        )  # fmt: skip
    yield _row(
        "16", "no offset stored, after the commit interval", C, "auto-commit", "", run=in_work,
        line="1..4 redelivered; none lost", settings={**often, "enable_auto_offset_store": False},
        beats=20,
    )  # fmt: skip


def cases():
    """Every row."""
    yield from _killed()
    yield from _committing_by_itself()
