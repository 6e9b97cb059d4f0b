from pytest_mqchaos.history.index import index_of
from pytest_mqchaos.history.rows import Place
from tests.checkers.timeline import run


def test_an_index_is_made_once_per_history():
    history = run().publish("a").history()
    assert index_of(history) is index_of(history)
    assert index_of(history) is not index_of(run().publish("a").history())


def test_first_attempt_and_first_confirm_are_the_earliest():
    line = run().publish("a", outcome="unknown").publish("a").publish("a")
    index = index_of(line.history())
    assert index.first["a"].seq == 1
    assert index.told["a"] == line.attempts[1].end_seq


def test_owed_are_confirmed_accepted_and_sent_without_confirms():
    line = run().publish("a").publish("b", outcome="unknown").publish("c", outcome="refused")
    line.publish("d", acks=0, outcome="unknown").accept("e").publish("f", topic="out")
    assert index_of(line.history()).owed == {"a", "d", "e"}


def test_what_was_aborted_is_withdrawn_unless_the_log_shows_it():
    line = run().publish("a", txn="t").publish("b", txn="t", stored=False)
    line.publish("c", txn="t", stored=False).publish("c")
    assert index_of(line.history()).confirmed == {"a", "c"}


def test_ambiguous_ids_show_each_content_once():
    line = run().publish("a", value=b"1").publish("a", value=b"2").publish("b")
    assert index_of(line.history()).ambiguous == {"a": [(None, b"1"), (None, b"2")]}
    foreign = run().publish("a", value=b"1", stored=False).log_add("a", value=b"2")
    assert "a" in index_of(foreign.history()).ambiguous
    assert index_of(run().publish("a").publish("a").history()).ambiguous == {}


def test_the_story_of_one_message_has_all_of_its_rows():
    line = run().publish("a").deliver("a").effect("a").ack().publish("a", topic="dead").publish("b")
    story = index_of(line.history()).story("a")
    assert [len(rows) for rows in story[1:]] == [1, 1, 1, 1, 1, 1, 1, 0, 1]
    assert story.passed[0].committed == 1
    assert index_of(line.history()).story("nobody").attempts == ()


def test_rows_without_an_id_are_in_no_table():
    line = run().publish("a")
    line.attempts[0] = line.attempts[0]._replace(id=None)
    line.log[0] = line.log[0]._replace(id=None)
    index = index_of(line.history())
    assert not index.first
    assert index.funnel["stored"] == 0


def test_a_group_known_by_a_delivery_only_has_committed_nothing():
    line = run().publish("a").publish("b", p=1).deliver("a").but(places=())
    places = index_of(line.history()).positions.places
    assert places["in", 0] == [Place("g", "in", 0, -1, -1, -1, None)]
    assert places["in", 1] == [Place("g", "in", 1, -1, -1, -1, None)]


def test_without_a_place_the_last_confirmed_ack_is_the_position():
    line = run().publish("a").ack(1).ack(0, outcome="refused").but(places=())
    assert index_of(line.history()).positions.places["in", 0][0].committed == 1


def test_the_first_covering_ack_is_found_even_when_positions_were_set_back():
    line = run().publish("a").publish("b").publish("c").ack(3).ack(1).deliver("b").ack(1).ack(2)
    history = line.history()
    found = index_of(history).positions.acks_for(history.deliveries[0])
    assert [ack.seq for ack in found] == [line.acks[3].seq]


def test_the_funnel_counts_stages_in_order():
    line = run().publish("a", outcome="unknown").publish("a").publish("b").deliver("a").effect("a")
    line.ack(1).publish("x", topic="dead")
    assert index_of(line.history()).funnel == {
        "published": 2, "confirmed": 2, "stored": 3, "delivered": 1, "effects": 1, "acked": 1,
        "dead": 1, "waiting": 1,
    }  # fmt: skip
