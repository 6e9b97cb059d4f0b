"""What is asked of consumers: the application is given what is in the log, from where it asked, and
what it commits is what the broker keeps."""

from __future__ import annotations

import contextlib
import time

from tests.conformance.consuming import TAKERS, well
from tests.conformance.conversing import FIVE, LIMIT
from tests.conformance.matrix.flow import MANY, through
from tests.conformance.producing import SENDERS


@contextlib.contextmanager
def reading(seen, client, group=None, **settings):
    reader = client.reader(seen.servers, seen.topic, group or seen.group, **settings)
    try:
        yield reader
    finally:
        reader.close()


def take(reader, count, most=1):
    """Exactly `count` messages, `most` of them a call."""
    got, limit = [], time.monotonic() + LIMIT
    while len(got) < count:
        assert time.monotonic() < limit, f"only {got} came"
        got += reader.look(min(most, count - len(got)))
    assert len(got) == count
    return got


def ids(got):
    return [one.id for one in got]


def committed(seen):
    """What the broker says, not the client."""
    found = seen.chaos.host.side.direct.committed(seen.group)[seen.group]
    return {partition: offset for (_, partition), offset in found.items()}


def group_of_two(seen, client):
    """A partition each; who took a message is who holds its partition."""
    history = through(seen, client, client, members=2, idempotent=True, keys=True)
    place = {row.id: row.partition for row in history.stored}
    shares = {(effect.owner, place[effect.id]) for effect in history.effects}
    assert sorted(partition for _, partition in shares) == [0, 1]
    assert len({owner for owner, _ in shares}) == 2


def manual_commit(seen, client):
    """Each commit is a frame of its own, and the next member of the group goes on behind it."""
    seen.publish()
    taken = TAKERS[client.name](seen.servers, seen.topic, seen.group, last="p5")
    assert taken == well(*FIVE)
    assert seen.acks == [(offset, True, "confirmed") for offset in range(1, 6)]
    assert committed(seen) == {0: 5}
    seen.publish("p6")
    assert TAKERS[client.name](seen.servers, seen.topic, seen.group, last="p6") == well("p6")
    assert committed(seen) == {0: 6}


def auto_commit(seen, client):
    """While it goes on polling, without an end to make it; the next member goes on behind it."""
    seen.publish()
    with reading(seen, client, auto_commit=True) as reader:
        assert ids(take(reader, 5)) == FIVE

        def kept():
            assert reader.look(1) == []
            return committed(seen) == {0: 5}

        seen.chaos.wait_for(kept, LIMIT, "the background commit")
    assert {(reached, outcome) for _, reached, outcome in seen.acks} == {(True, "confirmed")}
    assert max(offset for offset, _, _ in seen.acks) == 5
    seen.publish("p6")
    with reading(seen, client, auto_commit=True) as reader:
        (got,) = take(reader, 1)
        assert (got.id, got.offset) == ("p6", 5)


def seek(seen, client):
    """Back, forward and to the start: the same messages at the same offsets; nothing is kept."""
    seen.publish()
    with reading(seen, client) as reader:
        everything = take(reader, 5)
        assert ids(everything) == FIVE
        for offset in (3, 1, 4, 0):
            reader.seek(0, offset)
            assert take(reader, 5 - offset) == everything[offset:]
    assert set(seen.delivered) == set(FIVE)
    assert seen.acks == []
    assert committed(seen) == {}


def paused_at_its_end(seen, client):
    """All of it was read; what comes then waits, while the other partition's messages come."""
    send = SENDERS[client.name]
    with reading(seen, client, f"{seen.group}-end") as reader:
        send(seen.servers, seen.topic, ["a0"], partition=0)
        send(seen.servers, seen.topic, ["b0"], partition=1)
        assert sorted(ids(take(reader, 2))) == ["a0", "b0"]
        assert reader.look(1) == []
        reader.pause(0)
        send(seen.servers, seen.topic, ["a1", "a2"], partition=0)
        send(seen.servers, seen.topic, ["b1", "b2"], partition=1)
        assert ids(take(reader, 2)) == ["b1", "b2"]
        assert reader.look(4) == []
        reader.resume(0)
        assert ids(take(reader, 2)) == ["a1", "a2"]
    assert set(seen.delivered) == {"a0", "a1", "a2", "b0", "b1", "b2"}


@contextlib.contextmanager
def resumed_midway(seen, client):
    """Partition 0 was paused when one of its three messages had been taken, and resumed when
    everything else had been; gives the reader."""
    with reading(seen, client, f"{seen.group}-midway") as reader:
        got = []
        while not any(one.partition == 0 for one in got):
            got += take(reader, 1)
        reader.pause(0)
        SENDERS[client.name](seen.servers, seen.topic, ["b3"], partition=1)
        got += take(reader, 5 - len(got))
        assert [one.id for one in got if one.partition == 0] == ["a0"]
        assert [one.id for one in got if one.partition == 1] == ["b0", "b1", "b2", "b3"]
        assert reader.look(4) == []
        reader.resume(0)
        yield reader


def pause_and_resume(seen, client):
    paused_at_its_end(seen, client)
    with resumed_midway(seen, client) as reader:
        assert ids(take(reader, 2)) == ["a1", "a2"]


def forgets_what_it_held_back(seen, client):
    """kafka-python: what it had fetched of the partition before the pause never comes."""
    paused_at_its_end(seen, client)
    with resumed_midway(seen, client) as reader:
        assert [reader.look(4) for _ in range(10)] == [[]] * 10


def batch_consume(seen, client):
    """Up to ten a call, whole and in order."""
    seen.publish(*MANY)
    with reading(seen, client) as reader:
        calls, limit = [], time.monotonic() + LIMIT
        while sum(map(len, calls)) < len(MANY):
            assert time.monotonic() < limit, f"only {calls} came"
            calls.append(reader.look(10))
    assert [one.id for call in calls for one in call] == MANY
    assert [one.offset for call in calls for one in call] == list(range(len(MANY)))
    assert max(map(len, calls)) == 10
    assert set(seen.delivered) == set(MANY)
