"""State machines over a planted service and its correct twin."""

from pytest_mqchaos import ChaosMachine
from tests.search.planted.books import Books
from tests.search.planted.in_batches import commit_handled, commit_position
from tests.search.planted.one_by_one import mark_before_work, mark_with_lease


class Handled(ChaosMachine):
    """A correct service."""

    target = staticmethod(commit_handled)

    def service(self, chaos):
        chaos.topic("receipts")
        chaos.flow(inputs=["orders"], outputs=["receipts"])
        return chaos.worker(self.target, chaos.bootstrap_servers, Books(chaos.effects))

    def ask(self, chaos):
        chaos.assert_lossless()
        chaos.assert_idempotent()


class Position(Handled):
    """The same with a bug: it commits what it has not worked on."""

    target = staticmethod(commit_position)


class Near(Position):
    """Asked where the bug is, to be quick."""

    drawn = {"points": "ack", "faults": "crash_worker", "nth": 1}  # noqa: RUF012


class Marked(Position):
    """It marks what it begins to work on. Who dies in between leaves a mark, and whoever comes next
    skips the message, commits, and lives on."""

    target = staticmethod(mark_before_work)


class Leased(Handled):
    """The same, and the mark runs out."""

    target = staticmethod(mark_with_lease)
