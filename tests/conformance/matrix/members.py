"""What is asked of groups: who holds what, whom a rebalance leaves alone, and by which protocol."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.matrix.admins import standing
from tests.conformance.matrix.consumers import committed, ids, reading
from tests.conformance.producing import SENDERS, errors

LIMIT = 40  # seconds: real Kafka hands partitions over from heartbeat to heartbeat, each 5 s
EACH = 3  # messages for each partition


class Polled:
    """A reader while a thread of its own polls it, as an application would: a rebalance needs all
    members at once."""

    def __init__(self, reader):
        self._reader = reader
        self.got = []
        self.held = reader.holds()

    def poll(self, enough):
        while not enough.is_set():
            self.got += self._reader.look(10)
            self.held = self._reader.holds()


def gather(seen, readers, true, what):
    """Let all of them poll until `true(all of them)`; gives what they were given, by reader."""
    enough, polled = threading.Event(), [Polled(reader) for reader in readers]
    with ThreadPoolExecutor(len(readers)) as pool:
        try:
            threads = [pool.submit(one.poll, enough) for one in polled]
            seen.chaos.wait_for(
                lambda: true(polled) or any(one.done() for one in threads), LIMIT, what
            )
        finally:
            enough.set()
    for one in threads:
        one.result()  # what a client raised
    return [one.got for one in polled]


def shared(seen, partitions):
    """Each holds as many as the others, together all, none twice, and the broker sees it so."""

    def true(polled):
        held = [one.held for one in polled]
        even = all(len(one) == partitions // len(polled) for one in held)
        all_held = frozenset().union(*held) == frozenset(range(partitions))
        return even and all_held and [one.state for one in standing(seen)] == ["Stable"]

    return true


def send(seen, client, partitions, word):
    """`EACH` messages to every partition; gives their ids."""
    names = {n: [f"{word}{n}{one}" for one in range(EACH)] for n in range(partitions)}
    for number, some in names.items():
        assert errors(SENDERS[client.name](seen.servers, seen.topic, some, partition=number)) == {}
    return sorted(one for some in names.values() for one in some)


def read_all(seen, readers, wanted):
    """Exactly these, each from who holds its partition."""
    got = gather(
        seen, readers, lambda all_: sum(len(one.got) for one in all_) >= len(wanted), f"{wanted}"
    )
    assert sorted(one for mine in got for one in ids(mine)) == wanted
    for reader, mine in zip(readers, got, strict=True):
        assert {one.partition for one in mine} == reader.holds()


def instances(seen):
    (group,) = standing(seen)
    return {member.instance: member.id for member in group.members}


def static_members(seen, client):
    """One goes and comes back: its partition waits for it, and the other hears nothing of it."""
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(reading(seen, client, **client.static("one")))
        two = client.reader(seen.servers, seen.topic, seen.group, **client.static("two"))
        with contextlib.closing(two):
            gather(seen, [one, two], shared(seen, 2), "a partition each")
            mine, before = two.holds(), instances(seen)
            heard = list(one.heard.told)
        assert before.keys() == {"one", "two"}
        assert instances(seen) == before  # who has a name does not say goodbye
        two = stack.enter_context(reading(seen, client, **client.static("two")))
        gather(seen, [one, two], shared(seen, 2), "its partition again")
        assert two.holds() == mine
        assert one.heard.told == heard
        after = instances(seen)
        assert (after["one"], after.keys()) == (before["one"], before.keys())
        assert after["two"] != before["two"]
        read_all(seen, [one, two], send(seen, client, 2, "s"))


@contextlib.contextmanager
def joined(seen, client, settings, **more):
    """One that held all four partitions, and one that came later, when each holds two; with what
    the first heard because of it."""
    with reading(seen, client, **settings, **more) as one:
        gather(seen, [one], shared(seen, 4), "all of them")
        before = len(one.heard.told)
        with reading(seen, client, **settings, **more) as two:
            gather(seen, [one, two], shared(seen, 4), "two each")
            yield one, two, one.heard.told[before:]


def cooperative(seen, client):
    """Of who is there already, only that is taken away which another gets."""
    with joined(seen, client, client.cooperative) as (one, two, heard):
        assert heard == [("lost", two.holds())]
        assert two.heard.told == [("taken", two.holds())]
        read_all(seen, [one, two], send(seen, client, 4, "c"))


def all_taken_away(seen, client):
    """aiokafka: with the stickiest that it has, the first loses all and gets half of it again."""
    with joined(seen, client, client.cooperative) as (one, two, heard):
        assert heard == [("lost", frozenset(range(4))), ("taken", one.holds())]
        read_all(seen, [one, two], send(seen, client, 4, "c"))


def newer_protocol(seen, client):
    """The group is one of the newer kind, hands over without taking all away, and commits."""
    with joined(seen, client, client.newer, auto_commit=True) as (one, two, heard):
        (group,) = standing(seen)
        assert (group.type, group.state, len(group.members)) == ("consumer", "Stable", 2)
        assert heard == [("lost", two.holds())]
        read_all(seen, [one, two], send(seen, client, 4, "n"))
        wanted = dict.fromkeys(range(4), EACH)
        gather(seen, [one, two], lambda _: committed(seen) == wanted, "the commits")


def no_newer_protocol(seen, client):
    """The client does not know the word; its groups are classic ones."""
    with pytest.raises(Exception, match=r"(?i)unexpected keyword|unrecognized config") as raised:
        client.reader(seen.servers, seen.topic, seen.group, **client.newer)
    assert "group_protocol" in str(raised.value)
    with reading(seen, client) as reader:
        gather(seen, [reader], shared(seen, 4), "its partitions")
        (group,) = standing(seen)
        assert (group.type, len(group.members)) == ("classic", 1)
