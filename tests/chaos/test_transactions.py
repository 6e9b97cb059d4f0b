"""What was done inside a transaction happened at its commit, or not at all."""

import pytest

from pytest_mqchaos.chaos.transactions import Transactions
from pytest_mqchaos.history.rows import Ack, Attempt
from pytest_mqchaos.relay.transcript import Transcript
from pytest_mqchaos.relay.transcript_ends import TransactionEnd


def ack(seq, *, owner="worker-1#1", offset=1, reached=True, outcome="confirmed"):
    return Ack(seq, seq * 10, 3, owner, "g", "m", "in", 0, offset, reached, outcome,
               seq + 1, seq * 10 + 5, 0)  # fmt: skip


def end(seq, *, owner="worker-1#1", name="tx", committed=True, reached=True, outcome="confirmed"):
    told = outcome != "unknown"
    return TransactionEnd(seq, seq * 10, 4, owner, name, committed, reached, outcome,
                          seq + 1 if told else 0, seq * 10 + 5 if told else 0, 0)  # fmt: skip


def publish(seq, *, owner="worker-1#1", name="tx"):
    return Attempt(seq, seq * 10, 5, owner, "c", "out", 0, "a", None, b"a", b"", -1, True,
                   "confirmed", seq + 1, seq * 10 + 5, 0, 0, 1, 0, name)  # fmt: skip


def settled(acks, ends, inside):
    transcript = Transcript(
        acks=tuple(acks), ends=tuple(ends), transactional=dict.fromkeys(inside, "tx")
    )
    return list(Transactions(transcript).acks())


def test_acks_outside_of_transactions_stay_as_they_are():
    rows = [ack(3), ack(7)]
    assert settled(rows, [end(9)], []) == rows


def test_an_ack_happens_when_its_transaction_commits_and_in_that_order():
    outside = ack(12, owner="worker-2#1")
    found = settled([ack(10), outside], [end(20)], [10])
    assert [(row.owner, row.seq, row.t) for row in found] == [
        ("worker-2#1", 12, 120), ("worker-1#1", 20, 205),
    ]  # fmt: skip
    assert (found[1].outcome, found[1].end_t, found[1].offset) == ("confirmed", 205, 1)


def test_each_ack_belongs_to_the_next_end():
    found = settled([ack(10), ack(30, offset=2)], [end(20), end(40)], [10, 30])
    assert [(row.offset, row.seq) for row in found] == [(1, 20), (2, 40)]


@pytest.mark.parametrize(
    "ends",
    [
        [],
        [end(20, committed=False)],
        [end(20, reached=False)],
        [end(20, outcome="refused")],
        [end(20, owner="worker-1#2")],  # what its successor commits is another transaction
        [end(20, name="other")],
        [end(5)],
    ],
)
def test_what_was_not_committed_is_withdrawn(ends):
    assert settled([ack(10)], ends, [10]) == []


def test_a_commit_without_an_answer_counts_from_its_request():
    [found] = settled([ack(10)], [end(20, outcome="unknown")], [10])
    assert (found.t, found.end_t, found.outcome) == (200, 0, "unknown")


def test_a_refused_ack_stays_refused():
    [found] = settled([ack(10, outcome="refused")], [end(20)], [10])
    assert found.outcome == "refused"


def test_a_publish_takes_effect_with_the_ack_of_its_transaction():
    transactions = Transactions(Transcript(ends=(end(20),), transactional={10: "tx"}))
    assert transactions.span(publish(8)) == (205, 205)
    # Committed by the consumer itself between the publish and the end: that was too early.
    assert ack(15).t < transactions.span(publish(8))[0]


@pytest.mark.parametrize("row", [publish(8, name=None), publish(25), publish(8, owner="w#2")])
def test_a_publish_without_a_known_end_has_its_own_instants(row):
    transactions = Transactions(Transcript(ends=(end(20),)))
    assert transactions.span(row) == (row.t, row.end_t)


AGAIN = [
    [end(20, reached=False, outcome="unknown"), end(30)],  # the request was lost, or its answer
    [end(20, outcome="unknown"), end(30)],
    [end(20, outcome="refused"), end(25, outcome="refused"), end(30)],  # not yet: still busy
]


@pytest.mark.parametrize("ends", AGAIN)
def test_an_end_that_was_asked_for_again_is_one_end(ends):
    [found] = settled([ack(10)], ends, [10])
    assert (found.seq, found.outcome) == (30, "confirmed")


@pytest.mark.parametrize("ends", AGAIN)
def test_what_is_done_after_the_first_belongs_to_another_transaction(ends):
    found = settled([ack(10), ack(27, offset=2)], ends, [10, 27])
    assert [(row.offset, row.seq) for row in found if row.outcome == "confirmed"] == [(2, 30)]


def test_a_publish_is_committed_when_the_broker_says_so():
    rows = (publish(8), publish(24), publish(34), publish(50), publish(9, name=None))
    ends = (end(20), end(30, committed=False), end(40, outcome="unknown"))
    assert Transactions(Transcript(attempts=rows, ends=ends)).committed() == {8: 205}
    again = Transactions(Transcript(attempts=(publish(8),), ends=tuple(AGAIN[0])))
    assert again.committed() == {8: 305}


def anew(seq, outcome="confirmed"):
    return end(seq, committed=False, outcome=outcome)._replace(anew=True)


def test_a_producer_that_begins_anew_under_its_id_commits_nothing_of_the_one_before():
    """It was thrown away without a word; the broker aborts what it left when the next begins."""
    rows = (publish(8), publish(24))
    begun = Transcript(attempts=rows, ends=(anew(2), anew(16), end(30)))
    assert Transactions(begun).committed() == {24: 305}
    assert settled([ack(9)], [anew(2), anew(16), end(30)], [9]) == []


@pytest.mark.parametrize("outcome", ["refused", "unknown"])
def test_who_was_not_let_begin_anew_ended_nothing(outcome):
    begun = Transcript(attempts=(publish(8),), ends=(anew(16, outcome), end(30)))
    assert Transactions(begun).committed() == {8: 305}


def test_a_commit_that_nobody_answered_is_not_asked_again_by_beginning_anew():
    [found] = settled([ack(10)], [end(20, outcome="unknown"), anew(25)], [10])
    assert (found.t, found.outcome) == (200, "unknown")
