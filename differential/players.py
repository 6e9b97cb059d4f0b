"""A conversation played on one broker: the embedded cluster in process, or sockets to a real one.

Requests that wait (a join for others, a fetch for data) are answered some steps later; an `Answer`
says after which step it came. It must never know what the other broker said.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from differential import frames
from differential.conversation import Conversation, Step
from differential.marks import OWN, Marks
from differential.normal import normal

CLOSED = "closed"
# Seconds that a request which is not answered yet is given to arrive: what follows may come by
# another connection, and must not overtake it. The second: where a first try differed.
ARRIVES, SURELY = 0.03, 0.3
_ENDS = frozenset({"EndTxn", "InitProducerId"})
# Answered by the controller; brokers hear of it some moments later, as of a request on its way.
_HEARD_LATER = frozenset({
    "CreateTopics", "DeleteTopics", "CreatePartitions", "AlterConfigs", "IncrementalAlterConfigs",
})  # fmt: skip
_LOOKS, _LOOK = 200, 0.01  # how often, and how many seconds apart, a transaction is looked at
_PATIENCE = 60.0  # seconds for an answer to a question of our own
Place = tuple[int, int]  # number of a link, node


class Answer(NamedTuple):
    """What came of one request: its normal form, CLOSED or None (nothing so far), and after which
    step."""

    after: int
    what: Any


class Way(Protocol):
    """How frames get to a broker."""

    def send(self, place: Place, frame: bytes) -> None: ...

    def take(self, place: Place, patience: float) -> bytes | None:
        """The next answer frame; None if none came within `patience` seconds. ConnectionError if
        the broker ended the connection: the next `send` opens a new one."""


class Player:
    """Plays one conversation. `prefix` makes its names its own on this broker."""

    def __init__(
        self, way: Way, prefix: str, nodes: Sequence[int], arrives: float = ARRIVES
    ) -> None:
        self._arrives = arrives
        self.marks = Marks(prefix)
        self._way = way
        self._nodes = nodes
        self._asked: dict[Place, deque[tuple[int, Step]]] = {}
        self._found: dict[int, Answer] = {}
        self._leaders: dict[tuple[str, int], int] = {}
        self._correlation = 0

    def play(
        self, conversation: Conversation, patience: Sequence[Sequence[int]] | None, limit: float
    ) -> list[Answer]:
        """The answers, one for each step. `patience` names, for each step, the requests that are to
        be waited for after it, for `limit` seconds each; None: only what is there at once."""
        self._begin(conversation)
        for number, step in enumerate(conversation.steps):
            self._say(number, step)
            due = patience[number] if patience is not None else ()
            for wanted in due:
                self._wait(wanted, number, limit)
            self._listen(number)
            if patience is not None and (number not in due or step.api in _HEARD_LATER):
                time.sleep(self._arrives)
        return [
            self._found.get(number, Answer(-1, None)) for number in range(len(conversation.steps))
        ]

    def _begin(self, conversation: Conversation) -> None:
        """Learn the ids of the topics; the names are told as they are."""
        if conversation.topics:
            self.marks.learn(self._look([topic.name for topic in conversation.topics]))

    def _ask(self, step: Step, node: int | None = None) -> Any:
        """Ask something of our own and wait for it."""
        return frames.answer(step.api, step.version, self._exchange(step, node))

    def _exchange(self, step: Step, node: int | None) -> bytes:
        place = (step.link, self._nodes[0] if node is None else node)
        self._way.send(place, self._frame(step))
        answer = self._way.take(place, _PATIENCE)
        if answer is None:
            raise TimeoutError(f"no answer to our own {step.api}")
        return answer

    def _look(self, names: Sequence[str]) -> Any:
        values = {
            "topics": [{"name": name, "topic_id": None} for name in names],
            "allow_auto_topic_creation": False, "include_topic_authorized_operations": False,
        }  # fmt: skip
        return self._ask(Step(api="Metadata", version=12, values=values, link=-1))

    def node(self, at: str) -> int:
        """Who is asked: `any` is the first node, `node:2` that one, `leader:~a:0` who leads a
        partition, `follower:~a:0` who does not, `group:~g` / `transaction:~x` who coordinates."""
        if len(self._nodes) == 1 or at == "any":
            return self._nodes[0]
        kind, _, rest = at.partition(":")
        if kind == "node":
            return int(rest)
        if kind in ("leader", "follower"):
            topic, _, partition = rest.rpartition(":")
            leader = self._leader(topic, int(partition))
            return leader if kind == "leader" else next(n for n in self._nodes if n != leader)
        return self._coordinator(0 if kind == "group" else 1, rest)

    def _leader(self, topic: str, partition: int) -> int:
        if (topic, partition) not in self._leaders:
            told = self._look([topic])
            for each in told.topics[0].partitions:
                self._leaders[topic, int(each.partition_index)] = int(each.leader_id)
        return self._leaders.get((topic, partition), self._nodes[0])

    def _coordinator(self, kind: int, key: str) -> int:
        values = {"key_type": kind, "coordinator_keys": [key]}
        told = self._ask(Step(api="FindCoordinator", version=4, values=values, link=-1))
        node = int(told.coordinators[0].node_id)
        return node if node >= 0 else self._nodes[0]

    def _say(self, number: int, step: Step) -> None:
        place = (step.link, self.node(step.at))
        self._asked.setdefault(place, deque()).append((number, step))
        try:
            self._way.send(place, self._frame(step))
        except ConnectionError:
            self._ended(place, number)
            return
        if step.api == "Produce" and step.values.get("acks") == 0:
            self._asked[place].pop()  # nobody answers
            self._found[number] = Answer(number, "unanswered")

    def _frame(self, step: Step) -> bytes:
        self._correlation += 1
        values = self.marks.resolve(step.values)
        return frames.request(step.api, step.version, self._correlation, values)

    def _wait(self, wanted: int, now: int, limit: float) -> None:
        """Until that request is answered."""
        for place, asked in self._asked.items():
            while any(number == wanted for number, _ in asked):
                if not self._hear(place, now, limit):
                    return

    def _listen(self, now: int) -> None:
        """Hear what has come, in the order of the requests."""
        for place in sorted(
            self._asked, key=lambda p: min((n for n, _ in self._asked[p]), default=0)
        ):
            while self._asked[place] and self._hear(place, now, 0.0):
                pass

    def _hear(self, place: Place, now: int, patience: float) -> bool:
        try:
            frame = self._way.take(place, patience)
        except ConnectionError:
            self._ended(place, now)
            return True
        if frame is None:
            return False
        number, step = self._asked[place].popleft()
        body = frames.answer(step.api, step.version, frame)
        self.marks.learn(body)
        self._found[number] = Answer(now, normal(body, self.marks))
        if step.api in _ENDS and step.values["transactional_id"]:
            self._over(step.values["transactional_id"])
        return True

    def _over(self, name: str) -> None:
        """Wait until a transaction that is being ended is over: its markers come after the answer,
        and until then clients are told to ask again."""
        step = Step(api="DescribeTransactions", version=0, link=-1,
                    values={"transactional_ids": [name]})  # fmt: skip
        node = self.node(f"transaction:{name}")
        for _ in range(_LOOKS):
            # kio cannot read a start time of -1; the state stands near its front.
            if b"Prepare" not in self._exchange(step, node):
                return
            time.sleep(_LOOK)

    def _ended(self, place: Place, now: int) -> None:
        for number, _ in self._asked.pop(place):
            self._found[number] = Answer(now, CLOSED)
        self._asked[place] = deque()


def waits(answers: Sequence[Answer]) -> list[list[int]]:
    """For each step the requests that were answered after it."""
    found: list[list[int]] = [[] for _ in answers]
    for number, answer in enumerate(answers):
        if answer.after >= 0 and answer.what != "unanswered":
            found[answer.after].append(number)
    return found


def own(name: str, prefix: str) -> str:
    """A name of a conversation as a broker knows it."""
    return prefix + name.removeprefix(OWN)
