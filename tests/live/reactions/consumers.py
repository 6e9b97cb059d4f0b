"""A consumer of two partitions with ten messages each commits after every message; a fault at its
third commit, at a heartbeat, at a fetch."""

from __future__ import annotations

from tests.conformance.consuming import CLIENTS
from tests.live.reactions.case import Case
from tests.live.reactions.taking import (
    SHORT_SESSION,
    in_work,
    one_member,
    settings,
    short_session,
    two_members,
)

SECTION = "2"
FINE = "every commit OK; 0 redelivered; at once"
FAILED = "CommitFailedError"
A, C, K = CLIENTS
KEEPS_ON = (
    "kafka-python hands out what it had fetched, each commit fails, and all of it comes again"
)
RACE = (
    "aiokafka's next commit may leave before it has joined again, in nobody's name, and the empty "
    "group takes it: then nothing comes again; or it is back before the broker ended its session"
)
CIRCLE = (
    "twice in some 300 runs librdkafka opened its coordinator's connection anew twice a second, "
    "closing each by itself as soon as it was up, until its session was over"
)
UNSAID = "the error's name was not written down beforehand; "
CHANCE = "which message is in work when the heartbeat comes is chance"


def row(
    name, rule, client, *lines, run=one_member, mode="one member", why="", given=None, long=False,
    **more,
):  # fmt: skip
    """One case of a consumer."""
    return Case(
        section=SECTION, name=name, client=client, mode=mode, rule=rule, run=run,
        expected=lines, settings=given or {}, options=more, why=why, long=long,
    )  # fmt: skip


def everywhere(name, rule, lines, **more):
    """The same row for each client that has a line."""
    for client, some in lines.items():
        yield row(name, rule, client, *([some] if isinstance(some, str) else some), **more)


def _lost_commits():
    fine = dict.fromkeys(CLIENTS, FINE)
    yield from everywhere("9 commit request swallowed + close", "on.ack(nth=3).drop()", fine)
    yield from everywhere(
        "10 commit response swallowed + close", "on.ack_confirm(nth=3).drop()",
        {A: FINE, K: FINE},
    )  # fmt: skip
    yield row(
        "10 commit response swallowed + close", "on.ack_confirm(nth=3).drop()", C, FINE,
        "1 failed: UNKNOWN_MEMBER_ID; 0 redelivered; stalls its session", why=CIRCLE,
    )  # fmt: skip
    for code in (15, 16):
        yield from everywhere(f"11 answered {code}", f"on.ack(nth=3).refuse({code})", fine)
    # Their own time-outs: A 40 s > session 10 s, C 60 s > 45 s, K 30 s < 45 s; the same, shorter.
    patience = {
        A: short_session(A, request_timeout_ms=8000),
        C: short_session(C, socket_timeout_ms=8000),
        K: short_session(K, request_timeout_ms=3000),
    }
    lines = {
        A: [f"1 failed: {FAILED}; {n} redelivered; stalls its session" for n in (2, 1, 0)],
        C: ["1 failed: UNKNOWN_MEMBER_ID; 1 redelivered; stalls its session"],
        K: ["1 failed: KafkaTimeoutError; 0 redelivered; at once"],
    }
    lines[A].append("every commit OK; 0 redelivered; stalls its session")
    for client, some in lines.items():
        yield row(
            "9 commit request, dark", "on.ack(nth=3).hang()", client, *some,
            given=patience[client], session=SHORT_SESSION, why=RACE if client == A else "",
        )  # fmt: skip
        yield row(
            "9 commit request, dark, own time-outs", "on.ack(nth=3).hang()", client, *some,
            long=True, why=RACE if client == A else "",
        )  # fmt: skip


def _answered():
    yield from everywhere("11 answered 27", "on.ack(nth=3).refuse(27)", {
        A: f"1 failed: {FAILED}; 1 redelivered; at once",
        C: "1 failed: REBALANCE_IN_PROGRESS; 0 redelivered; at once",
        K: f"1 failed: {FAILED}; 0 redelivered; at once",
    })  # fmt: skip
    forged = {
        22: {
            A: f"1 failed: {FAILED}; 1 redelivered; stalls its session",
            C: "1 failed: ILLEGAL_GENERATION; 1 redelivered; at once",
            K: f"several failed: {FAILED}; several redelivered; at once",
        },
        25: {
            A: f"1 failed: {FAILED}; 1 redelivered; stalls its session",
            C: "1 failed: UNKNOWN_MEMBER_ID; 1 redelivered; stalls its session",
            K: f"several failed: {FAILED}; several redelivered; stalls its session",
        },
    }
    for code, lines in forged.items():
        for client, line in lines.items():
            yield row(
                f"11 answered {code}, not real", f"on.ack(nth=3).refuse({code}, forge=True)",
                client, line, given=short_session(client), session=SHORT_SESSION,
            )  # fmt: skip
            yield row(
                f"11 answered {code}, not real, own session",
                f"on.ack(nth=3).refuse({code}, forge=True)", client, line, long=True,
            )  # fmt: skip
    yield from everywhere("12 real LeaveGroup, commit forwarded", "on.ack(nth=3).redeliver()", {
        A: f"1 failed: {FAILED}; 1 redelivered; at once",
        C: "1 failed: UNKNOWN_MEMBER_ID; 1 redelivered; at once",
        K: f"several failed: {FAILED}; several redelivered; at once",
    })  # fmt: skip
    yield row(
        "12 real LeaveGroup, commit forwarded, max_poll_records=1", "on.ack(nth=3).redeliver()", K,
        f"1 failed: {FAILED}; 1 redelivered; at once", given={"max_poll_records": 1},
        why="not measured before: one message a poll bounds what comes again",
    )  # fmt: skip


def _heartbeats():
    def beat(name, rule, client, *lines, why="", session=None):
        given = {"heartbeat_interval_ms": 50}
        make = short_session if session else settings
        more = {"session": session} if session else {}
        return row(
            name, rule, client, *lines, run=in_work, why=why, work=0.15,
            given=make(client, **given), **more,
        )  # fmt: skip

    name = "13 heartbeat answered 27, no rebalance"
    rule = "on.control(api='Heartbeat', nth=1).refuse(27)"
    yield beat(name, rule, A, "every commit OK; 1 redelivered; at once")
    yield beat(name, rule, C, FINE)
    yield beat(name, rule, K, FINE)
    one, several = "UNKNOWN_MEMBER_ID", f"several failed: {FAILED}; several redelivered"
    for code in (25, 22):
        name = f"13 heartbeat answered {code}, not real"
        rule = f"on.control(api='Heartbeat', nth=1).refuse({code}, forge=True)"
        stalls, still = "stalls its session", SHORT_SESSION
        yield beat(name, rule, A, f"1 failed: {FAILED}; 1 redelivered; {stalls}", session=still)
        how = stalls if code == 25 else "at once"
        raised = one if code == 25 else "ILLEGAL_GENERATION"
        line = f"1 failed: {raised}; 1 redelivered; {how}"
        between = f"every commit OK; 0 redelivered; {how}"
        why = CHANCE if code == 25 else UNSAID + CHANCE
        yield beat(name, rule, C, line, between, session=still, why=why)
        yield beat(name, rule, K, f"{several}; {how}", session=still, why=KEEPS_ON)
    name = "13 real LeaveGroup, heartbeat forwarded"
    rule = "on.control(api='Heartbeat', nth=1).rebalance()"
    silent = "every commit OK; 1 redelivered; at once"
    told = f"1 failed: {FAILED}; 1 redelivered; at once"
    yield beat(name, rule, A, silent, told, why=CHANCE)
    yield beat(name, rule, C, f"1 failed: {one}; 1 redelivered; at once", FINE, why=CHANCE)
    yield beat(name, rule, K, f"{several}; at once", why=KEEPS_ON)


def _fetches():
    fine = dict.fromkeys(CLIENTS, FINE)
    yield from everywhere(
        "14 fetch response with data swallowed + close", "on.deliver(nth=1).sever()", fine
    )


def _two():
    rules = [
        ("9 commit request swallowed + close", "on.ack(nth=3, client='c1').drop()", {}),
        ("10 commit response swallowed + close", "on.ack_confirm(nth=3, client='c1').drop()", {}),
        ("11 answered 15", "on.ack(nth=3, client='c1').refuse(15)", {}),
        ("11 answered 16", "on.ack(nth=3, client='c1').refuse(16)", {}),
        ("11 answered 27", "on.ack(nth=3, client='c1').refuse(27)", {
            A: f"1 failed: {FAILED}; 1 redelivered; at once",
            C: "1 failed: REBALANCE_IN_PROGRESS; 0 redelivered; at once",
            K: f"1 failed: {FAILED}; 0 redelivered; at once",
        }),
        ("12 real LeaveGroup, commit forwarded", "on.ack(nth=3, client='c1').redeliver()", {
            A: f"1 failed: {FAILED}; 1 redelivered; at once",
            C: "1 failed: UNKNOWN_MEMBER_ID; 1 redelivered; at once",
            K: f"several failed: {FAILED}; several redelivered; at once",
        }),
    ]  # fmt: skip
    for name, rule, lines in rules:
        yield from everywhere(
            name, rule, lines or dict.fromkeys(CLIENTS, FINE), run=two_members, mode="two members"
        )


def cases():
    """Every row."""
    for part in (_lost_commits, _answered, _heartbeats, _fetches, _two):
        yield from part()
