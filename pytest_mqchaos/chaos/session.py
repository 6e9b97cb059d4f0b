"""`Chaos`: what a test holds. It puts the parts together and decides nothing itself.

arm -> worker, publish -> settle -> assert_* -> end (disarm, stop, heal, judge, clean up)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from pytest_mqchaos.chaos.address import Address
from pytest_mqchaos.chaos.asked import Asked
from pytest_mqchaos.chaos.asserting import Assertions
from pytest_mqchaos.chaos.declaring import Declarations
from pytest_mqchaos.chaos.effects import Effects
from pytest_mqchaos.chaos.ending import end_of_test
from pytest_mqchaos.chaos.keeper import Keeper
from pytest_mqchaos.chaos.messages import Given
from pytest_mqchaos.chaos.posting import Post
from pytest_mqchaos.chaos.questions import Questions
from pytest_mqchaos.chaos.rules import ArmedRule, RuleBook
from pytest_mqchaos.chaos.running import Crew, WorkerHandle
from pytest_mqchaos.chaos.scope import Scope
from pytest_mqchaos.chaos.settling import Limits, Settled, Until, settle
from pytest_mqchaos.chaos.side import Publisher, Receipt
from pytest_mqchaos.chaos.telling import Telling
from pytest_mqchaos.chaos.twins import Twins
from pytest_mqchaos.chaos.view import View
from pytest_mqchaos.chaos.waiting import until
from pytest_mqchaos.checkers.verdict import Checker, Verdict
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.identity import DEFAULT_SPEC, Identity
from pytest_mqchaos.history.rows import PUBLISHER
from pytest_mqchaos.plan.rules import Plan, Rule
from pytest_mqchaos.workloads.target import Target, understand

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.ground import Ground

ACTING = 60.0  # seconds that the restart of a real broker may take


class Chaos(Assertions, Declarations, Twins):
    """One test's (or example's) chaos on one broker.

    `id`: where a message's id stands ("header:NAME", "json:/pointer", "key", "value", a tuple of
    these, a callable; default: a header that `publish` adds). `key`: the same words for what
    messages belong together, the default of `by=`. `plan`: rules armed from the start.
    `own_assertions`: the test asks by itself. `may_skip`: a plan that cannot act on this client is
    a skip. `telling`: what reports say about the test itself (name, replay line).
    """

    view: View
    ledger: Effects

    def __init__(
        self, host: Ground, plan: Plan, *, id: Any = None, key: Any = None,
        telling: Telling | None = None, own_assertions: bool = False, may_skip: bool = False,
        drawn: bool = False,
    ) -> None:  # fmt: skip
        self._host = host
        self.plan = plan
        self.own_assertions = own_assertions
        self.may_skip = may_skip
        self.key = key
        if key is not None:
            Identity.parse(key)
        self.drawn = drawn
        self.identity = Identity.parse(DEFAULT_SPEC if id is None else id)
        self.telling = telling or Telling()
        self.asked = Asked()
        self.verdicts = self.asked.verdicts
        self._post = Post(
            identity=self.identity, default=id is None, connect=self._publisher,
            before=lambda: self.ledger.before,
        )  # fmt: skip
        self._started = self._over = False
        self.last_history = History()
        self.rules = RuleBook(
            host.plane, host.protocol, host.abilities, failed=self._trouble, pace=host.pace
        )
        if host.broker is not None and plan.rules:
            self.rules.check(plan.rules)

    # ------------------------------------------------------------ beginning and end

    def start(self) -> Self:
        """Begin: a fresh (or cleaned) broker, the plan armed, the baseline taken."""
        host = self._host
        spec = self.identity.spec()
        run = self._run = host.begin({"identity": spec, "record": True})
        self._started = True
        self._address = run.address
        self.view = View(chaos=self, run=run, post=self._post)
        self.ledger = Effects(run.effects, self.view.output, host.pace.clock)
        self.scope = Scope(host.side, host.pace.clock)
        if host.kind != "embedded":
            self.scope.took_over()
        self._crew = Crew(
            host=host, address=run.address, nodes=run.nodes, directory=run.directory,
            environment=self._environment, progress=self._progress,
            fault_seen=lambda: self.rules.harmed(),  # noqa: PLW0108 - comes next
            bury=lambda owner: self.view.bury(owner),  # noqa: PLW0108 - comes next
        )  # fmt: skip
        assert host.broker is not None
        self._questions = Questions(
            crew=self._crew, broker=host.broker, trouble=host.troubles.append, pace=host.pace,
            note=partial(host.plane.request, "note"),
        )  # fmt: skip
        host.plane.on_ask(self._questions)
        self.arm(*self.plan.rules)
        return self

    async def finishing(self, *, body_failed: bool) -> None:
        """What `finish` does."""
        if self._over or not self._started:
            return
        self._over = True
        plane = self._host.plane
        gone = self._host.gone  # before anything is mended
        try:
            plane.request("disarm")
            await self._crew.stop_all()
            if self.rules.rules and not body_failed:  # what is being done to a process counts
                what = "a process to be killed, paused or restarted by a rule"
                await until(
                    lambda: not self.view.status()["asked"], timeout=ACTING, what=what,
                    pace=self._host.pace,
                )  # fmt: skip
        finally:
            plane.request("heal")
            self._questions.heal()
        if not body_failed:
            if gone is not None:
                raise gone
            end_of_test(self, self.telling)

    async def closing(self) -> None:
        """What `close` does."""
        if not self._started:
            self._host.end()
            return
        self._started = False
        try:
            await self._post.close()
            if self._host.kind != "embedded" and self._host.gone is None:
                self._host.side.remove(self.scope.created)
        finally:
            self._host.end((PUBLISHER, *self._crew.owners))

    # ------------------------------------------------------------ addresses, destinations

    @property
    def bootstrap_servers(self) -> str:
        """Address of the links ("127.0.0.1:PORT"; of a cluster one for each node, with commas
        between them). In the arguments of `worker` it becomes the worker's own."""
        return self._address

    @property
    def nodes(self) -> int:
        """How many brokers the cluster has."""
        return len(self._run.nodes)

    @property
    def effects(self) -> Effects:
        """Where effects are recorded or looked at: whoever asks has a source, if an empty one."""
        self.ledger.declared = True
        return self.ledger

    @property
    def url(self) -> str:
        """The same, for protocols that speak of a URL."""
        return self._address

    def _environment(self, own: str) -> dict[str, str]:
        return {"MQCHAOS_BOOTSTRAP_SERVERS": own, "MQCHAOS_EFFECTS": str(self._run.effects or "")}

    # ------------------------------------------------------------ rules

    def arm(self, *rules: Rule) -> Any:
        """Arm rules now. Gives the armed rule, or a tuple of them when several were given."""
        for rule in rules:
            Plan(rule)  # raises the error that says what is missing
        armed = self.rules.arm(rules)
        return armed[0] if len(armed) == 1 else tuple(armed)

    @property
    def armed(self) -> Sequence[ArmedRule]:
        """Every rule of this test, the plan's first."""
        return tuple(self.rules.rules)

    # ------------------------------------------------------------ messages

    async def publishing(
        self, destination: str, messages: Iterable[Given], *, attempts: int, idempotent: bool
    ) -> list[Receipt]:
        """What `publish` does."""
        self.scope.named(destination)
        return await self._post.send(
            destination, messages, attempts=attempts, idempotent=idempotent
        )

    # ------------------------------------------------------------ workers

    def worker(
        self, target: Target, *args: Any, restart: bool = True, count: int = 1,
        process: bool = False, setup: Callable[[], Any] | None = None,
        on_crash: Callable[..., Any] | None = None, **kwargs: Any,
    ) -> WorkerHandle:  # fmt: skip
        """The code under test, for `with` or `async with`: a coroutine function, a function (in a
        thread; it gets `stop`, a threading.Event, if it asks for it) or an argv; `process=True`
        runs an importable function in a child process. `chaos.bootstrap_servers` in the arguments
        becomes the worker's own address; a crash restarts it as its next incarnation."""
        if not isinstance(count, int) or count < 1:
            raise UsageError(f"count={count!r}: must be 1 or more")
        job = understand(target, process=process, setup=setup, on_crash=on_crash)

        def hire(loop: asyncio.AbstractEventLoop | None) -> Keeper:
            return self._crew.hire(
                job, count=count, restart=restart, loop=loop, args=args, kwargs=kwargs
            )

        return WorkerHandle(self._crew, hire)

    @property
    def crew(self) -> Crew:
        """Every worker of this test."""
        return self._crew

    def _publisher(self) -> Publisher:
        plane = self._host.plane
        address = Address.of(plane.address(PUBLISHER, node) for node in self._run.nodes)
        return self._host.side.publisher(address, self._host.alive)

    def _progress(self) -> int:
        return self.view.gained_apart()

    # ------------------------------------------------------------ waiting

    async def settling(self, timeout: float | None, *, until: Until, drain: bool) -> Settled:
        """What `settle` does."""
        self._host.alive()  # before anything is mended
        await self._questions.brokers.due.run_out()
        self._questions.heal()
        look = partial(
            settle, self.view, until=until, limits=Limits.of(self._host.config), timeout=timeout,
            pace=self._host.pace,
        )  # fmt: skip
        settled = await look()
        while self._questions.brokers.broken:  # by a rule that came to its frame just now
            await self._questions.brokers.due.run_out()
            self._questions.heal()
            settled = await look()
        stuck = drain and settled.behind and self._crew.failure is None
        if stuck and await self._crew.drain():
            settled = (await look()).after_drain()
        if self._crew.failure is not None:
            raise self._crew.failure
        self.asked.settled(self._host.pace.clock())
        return settled

    async def waiting_for(self, condition: Callable[[], object], timeout: float, what: str) -> None:
        """What `wait_for` does."""
        name = what or getattr(condition, "__qualname__", repr(condition))
        pace = self._host.pace
        await until(condition, timeout=timeout, what=name, failed=self._trouble, pace=pace)

    def _trouble(self) -> BaseException | None:
        """Why waiting has become pointless, if so."""
        self._host.alive()
        return self._crew.failure

    def heal(self) -> None:
        """End what rules have broken: what they hold goes on, brokers come back."""
        self._host.plane.request("heal")
        self._questions.heal()

    # ------------------------------------------------------------ judgement

    @property
    def history(self) -> History:
        """Everything known so far, frozen."""
        return self.view.history()

    def judged(self, question: Checker) -> Verdict:
        """Answer one question about everything seen so far."""
        self.last_history = self.history
        return self.asked.ask(question, self.last_history)

    def failure_text(self, verdict: Verdict) -> str:
        """The report of a verdict that did not pass."""
        return self.telling.failure(self, verdict)

    @property
    def host(self) -> Ground:
        """The broker that this Chaos is on."""
        return self._host
