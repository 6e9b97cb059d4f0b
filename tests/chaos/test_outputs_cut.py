"""An output topic whose log is cut off and written anew while it is read as effects."""

import pytest

from pytest_mqchaos.chaos.outputs import Output
from pytest_mqchaos.frames import Record
from pytest_mqchaos.history.identity import Identity, content
from pytest_mqchaos.history.rows import Attempt
from pytest_mqchaos.relay.transcript import Transcript


class Log:
    """A side with one partition whose log can be cut."""

    def __init__(self):
        self.values, self.epoch = [], 0

    def epochs(self):
        return {("out", 0): self.epoch} if self.epoch else {}

    def read(self, names, since):
        first = since.get(("out", 0), 0)
        rows = enumerate(self.values)
        return [Record("out", 0, at, None, value) for at, value in rows if at >= first]

    def cut(self, length, *values):
        self.values[length:] = values
        self.epoch += 1


def publish(seq, value, offset, owner):
    return Attempt(seq, seq, 1, owner, "c", "out", 0, value.decode(), None, value,
                   content(None, value), 1, True, "confirmed", seq + 1, seq + 1, offset, 0, -1, -1,
                   None)  # fmt: skip


@pytest.fixture
def made():
    log, attempts = Log(), []
    clock = iter(range(0, 10_000, 100))
    output = Output(
        "out", side=log, identity=Identity.parse("value"), baseline={},
        transcript=lambda: Transcript(attempts=tuple(attempts)), clock=lambda: next(clock),
    )  # fmt: skip
    return log, attempts, output


def effects(output):
    return [(e.id, e.owner) for e in output.effects(0, order=True)]


def test_what_was_cut_off_is_no_effect_and_what_took_its_place_is_seen(made):
    log, attempts, output = made
    log.values += [b"a", b"b"]
    attempts += [publish(1, b"a", 0, "w#1"), publish(3, b"b", 1, "w#1")]
    assert output.look()
    assert effects(output) == [("a", "w#1"), ("b", "w#1")]
    log.cut(1, b"c")
    attempts += [publish(5, b"c", 1, "w#2")]
    assert output.look()
    assert effects(output) == [("a", "w#1"), ("c", "w#2")]  # of who wrote it, not of who was cut


def test_a_new_leader_that_has_it_all_shows_nothing_new(made):
    log, _, output = made
    log.values += [b"a", b"b"]
    output.look()
    before = output.effects(0, order=True)
    log.cut(2)
    assert not output.look()
    assert output.effects(0, order=True) == before
