"""The workers of one Chaos: each incarnation gets its own links, and dies with them.

It knows supervisors, addresses and members; it must never know a rule or a verdict.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pytest_mqchaos.chaos.address import Address, readdressed
from pytest_mqchaos.chaos.keeper import Keeper
from pytest_mqchaos.chaos.pace import Maybe, done, given
from pytest_mqchaos.chaos.waiting import off_loop
from pytest_mqchaos.errors import UsageError, WaitTimeout
from pytest_mqchaos.history.rows import ProcessEvent
from pytest_mqchaos.report.context import LogLine
from pytest_mqchaos.workloads import output
from pytest_mqchaos.workloads.incarnation import Incarnation, Launch
from pytest_mqchaos.workloads.target import Job

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.ground import Ground

STOP_LIMIT = 10.0
BY_TEST = "crashed by the test"


class Crew:
    """All workers that a Chaos has started, by the names of their incarnations."""

    def __init__(
        self, *, host: Ground, address: Address, nodes: Sequence[int], directory: Path | None,
        environment: Callable[[str], dict[str, str]], progress: Callable[[], int],
        fault_seen: Callable[[], bool], bury: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.events: list[ProcessEvent] = []
        self.supervisors: list[Keeper] = []
        self.owners: list[str] = []
        self.in_process = False
        self._plane = host.plane
        self._supervise = host.hire
        self.pace = host.pace
        self._address = address
        self._nodes = tuple(nodes)
        self._directory = directory
        self._environment = environment
        self._progress = progress
        self._fault_seen = fault_seen
        self._bury = bury
        self._unburied: list[str] = []
        self._doomed: dict[str, Keeper] = {}
        self._count = 0

    def hire(
        self, job: Job, *, count: int, restart: bool, loop: asyncio.AbstractEventLoop | None,
        args: Sequence[Any], kwargs: dict[str, Any],
    ) -> Keeper:  # fmt: skip
        """Make (not start) the supervisor of one `chaos.worker`."""
        names = [f"worker-{self._count + n + 1}" for n in range(count)]
        self._count += count
        self.in_process = self.in_process or job.kind in ("coroutine", "thread")

        def arguments_for(incarnation: Incarnation) -> Launch:
            return self._launch(job, incarnation, args, kwargs)

        supervisor = self._supervise(
            job, names=names, arguments_for=arguments_for, record=self._record,
            fault_seen=self._fault_seen, progress=self._progress, directory=self._directory,
            restart=restart, loop=loop,
        )  # fmt: skip
        self.supervisors.append(supervisor)
        return supervisor

    def _launch(
        self, job: Job, incarnation: Incarnation, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Launch:
        self.owners.append(incarnation.name)
        places = [self._plane.address(incarnation.name, node) for node in self._nodes]
        own = Address.of(places)

        def mine(value: Any) -> Any:
            return readdressed(value, self._address, own)

        given = job.target if job.kind == "command" else args
        assert not callable(given)
        return Launch(
            args=tuple(mine(value) for value in given),
            kwargs={name: mine(value) for name, value in kwargs.items()},
            env=self._environment(own),
            ports=frozenset(port for _, port in places),
        )

    def _record(self, event: ProcessEvent) -> None:
        self.events.append(event)
        if event.what in ("stopped", "ended"):
            # A new incarnation has links of its own; the old listener would only be a way back.
            self._lay_to_rest(event.who)

    def _lay_to_rest(self, owner: str) -> None:
        """A broker that a rule keeps from answering hears of the death later (`bury_rest`)."""
        try:
            self._bury(owner)
        except WaitTimeout:
            self._unburied.append(owner)

    def bury_rest(self) -> None:
        """Whom no broker was there to hear of. WaitTimeout if there still is none."""
        while self._unburied:
            self._bury(self._unburied[0])
            del self._unburied[0]

    # ------------------------------------------------------------ asked by rules

    def find(self, owner: str) -> Keeper | None:
        """The supervisor whose incarnation of this name runs now."""
        return next((s for s in self.supervisors if owner in s.running), None)

    def may_crash(self, owner: str, *, child_at: int | None = None) -> str | None:
        """Why this owner (or its child that holds the connection from port `child_at`) cannot be
        crashed, if so. Else it does nothing more until it dies, if it is a process."""
        supervisor = self.find(owner)
        if supervisor is None:
            return (
                f"the connection belongs to {owner!r}, not to a worker of this test: start the "
                "code under test with chaos.worker(...) so that it can be crashed"
            )
        try:
            supervisor.require_crashable()
            supervisor.freeze(owner, child_at)
        except UsageError as error:
            return str(error)
        self._doomed[owner] = supervisor  # its links are cut now, then `crash` is asked for
        return None

    def crash(self, owner: str, cause: str, *, child_at: int | None = None) -> Maybe[str | None]:
        """Kill it (or the one forked child that holds the connection from port `child_at`) and bury
        its memberships (not those of a child's brothers, which are under the same name); why not,
        if it could not be done. One that `may_crash`, and that ends of its cut links before we
        come to kill it, has died of this."""
        supervisor = self.find(owner) or self._doomed.get(owner)
        if supervisor is None:
            return f"{owner} was not running any more"
        if child_at is not None:
            dead = supervisor.crash_child(owner, child_at, cause=cause)
            return None if dead else f"{owner} was not running any more"
        death = supervisor.crash(owner, cause=cause)
        if inspect.isawaitable(death):
            return self._dies(owner, death)
        return self._died(owner, death)

    async def _dies(self, owner: str, death: Awaitable[bool]) -> str | None:
        return self._died(owner, await death)

    def _died(self, owner: str, dead: bool) -> str | None:  # noqa: FBT001 - what was answered
        doomed = self._doomed.get(owner)
        if not dead and not (doomed is not None and doomed.fell(owner)):
            return f"{owner} was not running any more"
        self._lay_to_rest(owner)
        return None

    def cut(self, owner: str) -> None:
        """Cut its links, and refuse them from now on."""
        self._plane.request("cut", owner=owner)

    # ------------------------------------------------------------ all of them

    def logs(self) -> tuple[LogLine, ...]:
        """What process workers wrote, in order of time."""
        if self._directory is None:
            return ()
        names = dict.fromkeys(event.who for event in self.events)
        found = [
            LogLine(line.t, name, line.text)
            for name in names
            for line in output.lines(self._directory / f"{name}.log")
        ]
        return tuple(sorted(found))

    @property
    def running(self) -> list[str]:
        """Names of the incarnations that run, or will be started again."""
        return [name for s in self.supervisors for name in (*s.running, *s.waiting)]

    @property
    def failure(self) -> BaseException | None:
        """The first exception that no fault explains."""
        return next((s.failure for s in self.supervisors if s.failure is not None), None)

    async def drain(self) -> bool:
        """Restart every worker that runs, once; False when there is none."""
        active = [s for s in self.supervisors if s.running or s.waiting]
        for supervisor in active:
            self._closing(supervisor)
            await given(supervisor.restart())
        return bool(active)

    async def stop(self, supervisor: Keeper) -> None:
        """Stop one worker; what it still says is recorded as closing."""
        self._closing(supervisor)
        await given(supervisor.stop(limit=STOP_LIMIT))

    def _closing(self, supervisor: Keeper) -> None:
        for name in supervisor.running:
            self._plane.request("closing", owner=name)

    async def stop_all(self) -> None:
        """Stop whatever still runs, each even if another fails."""
        errors: list[BaseException] = []
        for supervisor in self.supervisors:
            try:
                await self.stop(supervisor)
            except Exception as error:  # noqa: BLE001 - raised below, after all were stopped
                errors.append(error)
        if errors:
            raise errors[0]


class WorkerHandle:
    """What `chaos.worker(...)` gives: use it in `with` or `async with`."""

    def __init__(self, crew: Crew, hire: Callable[[asyncio.AbstractEventLoop | None], Keeper]):  # noqa: ANN204
        self._crew = crew
        self._hire = hire
        self._supervisor: Keeper | None = None

    @property
    def supervisor(self) -> Keeper:
        """What keeps it running."""
        if self._supervisor is None:
            raise UsageError("the worker was not started: use it in `with chaos.worker(...):`")
        return self._supervisor

    def crash(self) -> None:
        """Kill every incarnation that runs now, links first, as a rule would. Its memberships of
        groups end with it, and not when their sessions have timed out."""
        off_loop("worker.crash()", "await worker.crash_async()")
        done(self._crash())

    async def crash_async(self) -> None:
        """`crash` on a running loop."""
        await self._crew.pace.apart(self._crash())

    async def _crash(self) -> None:
        self.supervisor.require_crashable()
        for name in self.supervisor.running:
            self.supervisor.freeze(name)
            self._crew.cut(name)
            await given(self._crew.crash(name, BY_TEST))

    def pids(self) -> list[int]:
        """Process ids of what runs now (process workers)."""
        found = (self.supervisor.pid_of(name) for name in self.supervisor.running)
        return [pid for pid in found if pid is not None]

    def __enter__(self) -> Self:
        off_loop("the end of `with chaos.worker(...)`", "async with chaos.worker(...)")
        self._supervisor = self._hire(None)
        done(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        done(self._crew.stop(self.supervisor))
        self._raise(error)

    async def __aenter__(self) -> Self:
        self._supervisor = self._hire(asyncio.get_running_loop())
        await self._crew.pace.apart(self._start())
        return self

    async def _start(self) -> None:
        await given(self.supervisor.start())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        await self._crew.pace.apart(self._crew.stop(self.supervisor))
        self._raise(error)

    def _raise(self, error: BaseException | None) -> None:
        failure = self.supervisor.failure
        if failure is not None and error is None:
            raise failure
