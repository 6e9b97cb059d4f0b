"""Conversations about transactions whose every answer is compared with a real Kafka's.

Each takes a producer (transacting.py) whose topic is empty, and gives what it was told. What that
must be stands in transaction_answers.py: it was heard from Apache Kafka 4.3.1.
"""

from __future__ import annotations

from tests.kafka_cluster.transacting import pass_time


def commit_and_abort(one):
    """Markers have offsets; what was aborted is told to who reads committed."""
    yield one.init()
    yield one.produce(0, 2), one.ends()
    yield one.end(), one.settled()
    yield one.produce(0, 1), one.produce(1, 2), one.read()
    yield one.end(commit=False), one.settled()
    yield one.read(), one.read(committed=False), one.read(4), one.read(6)


def old_commit_and_abort(one):
    """The same with a client that adds partitions itself; its epoch stays."""
    one.old = True
    yield one.init(version=1)
    yield one.produce(0), one.add(0, 1), one.produce(0, 2), one.ends()
    yield one.end(), one.settled()
    yield one.produce(2), one.add(0), one.produce(2), one.end(commit=False), one.settled()
    yield one.read(), one.read(0, partition=1)


def ends_of_nothing(one):
    """What EndTxn says before and between transactions."""
    yield one.end(), one.end(commit=False)
    yield one.init(), one.end(), one.end(commit=False), one.epoch
    yield one.produce(0), one.end(), one.epoch, one.settled()
    yield one.end(), one.end(commit=False), one.epoch


def old_ends_of_nothing(one):
    """The same for a client whose epoch stays."""
    one.old = True
    yield one.init(), one.end(), one.end(commit=False), one.epoch
    yield one.add(0), one.end(), one.settled(), one.end(), one.end(commit=False)
    yield one.add(0), one.end(commit=False), one.settled(), one.add(5), one.add(topic="missing")


def retried_end(one):
    """The answer to EndTxn was lost: the same question again gives the same answer."""
    yield one.init(), one.produce(0)
    before = one.id, one.epoch
    yield one.end(), one.epoch, one.settled()
    one.id, one.epoch = before
    yield one.end(), one.epoch
    one.id, one.epoch = before
    yield one.end(commit=False)


def a_zombie(one):
    """Another producer with the same id: the first one's transaction is aborted, it is fenced."""
    yield one.init(), one.produce(0)
    other = one.again()
    yield other.init(), one.settled(), one.read()
    yield one.produce(1), one.end(), one.end(version=3), one.end(version=1), one.end(version=5)
    yield one.add(0), one.add(0, version=1), one.add_group(), one.add_group(version=1)
    yield one.commit_offset(3), one.commit_offset(3, version=3)
    yield one.init(expected=(one.id, one.epoch)), one.init(version=3, expected=(one.id, 0))
    yield other.produce(0), other.end(), other.settled()


def going_on_after_an_error(one):
    """KIP-360: a producer asks with its own id and epoch."""
    yield one.init(), one.init(expected=(one.id, 0)), one.init(expected=(one.id, 0))
    yield one.init(expected=(one.id, 1)), one.init(expected=(one.id, 0))
    yield one.init(expected=(one.id + 1000, 0)), one.init(expected=(one.id, 7))
    yield one.produce(0), one.init(expected=(one.id, one.epoch)), one.settled(), one.read()


def group_positions(one):
    """Positions are seen after the commit only, and a reader is told to wait."""
    yield one.position(), one.init(), one.commit_offset(5)
    yield one.position(), one.position(stable=False), one.state()
    yield one.end(commit=False), one.produce(0), one.position(), one.commit_offset(6)
    yield one.end(), one.settled(), one.position()
    yield one.commit_offset(7, topic="missing"), one.commit_offset(7, generation_id=3)
    yield one.commit_offset(7, generation_id=3, member_id="x")


def old_group_positions(one):
    """The group has to be added first; until then its positions are refused."""
    one.old = True
    yield one.init(), one.commit_offset(5), one.commit_offset(5, version=4), one.add_group()
    yield one.commit_offset(5), one.position(), one.state(), one.add(0), one.state()
    yield one.produce(0), one.end(), one.settled(), one.position(), one.commit_offset(6)


def refused_batches(one):
    """What a transactional batch has to be."""
    yield one.init(), one.produce(3), one.produce(0), one.produce(2), one.produce(1)
    yield one.produce(1), one.produce(2, attributes=0), one.produce(2, version=9)
    yield one.produce(0, partition=1, version=9), one.produce(0, partition=1, version=11)
    name, one.name = one.name, None
    yield one.produce(2)
    one.name = name
    one.epoch += 1
    yield one.produce(0, version=9), one.produce(0), one.produce(0, partition=1)
    one.epoch -= 1
    yield one.end(), one.settled(), one.produce(1), one.produce(0)


def wrong_questions(one):
    """What cannot be, in each request."""
    yield one.add(0), one.add_group(), one.state()
    yield one.init(timeout=900_001), one.init(timeout=0), one.init(expected=(3, -1))
    name, one.name = one.name, ""
    yield one.init(), one.end(), one.add(0)
    one.name = name
    yield one.init(version=0), one.init(version=5, expected=(one.id, one.epoch))
    one.id += 1000
    yield one.add(0), one.end(), one.produce(0), one.add_group(), one.commit_offset(1)


def out_of_time(one):
    """The broker aborts it; who was too late is fenced but may go on (KIP-890)."""
    yield one.init(timeout=1000), one.produce(0), one.state()
    pass_time(one.talker, 1000, lambda: one.ends()[0] > 0)
    yield one.settled(), one.read(), one.state()
    yield one.produce(1), one.end(), one.end(version=3)
    yield one.init(timeout=1000, expected=(one.id, one.epoch))
    yield one.produce(0), one.end(), one.settled()


SCRIPTS = (
    commit_and_abort,
    old_commit_and_abort,
    ends_of_nothing,
    old_ends_of_nothing,
    retried_end,
    a_zombie,
    going_on_after_an_error,
    group_positions,
    old_group_positions,
    refused_batches,
    wrong_questions,
    out_of_time,
)
