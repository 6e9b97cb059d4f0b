"""What reports say about the test itself: its name, how to replay it, where the history went."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mqchaos.chaos.consequences import missing
from pytest_mqchaos.checkers.verdict import Verdict
from pytest_mqchaos.errors import MqchaosError, UsageError, VerdictFailed
from pytest_mqchaos.history.history import History
from pytest_mqchaos.report import jsonl, text
from pytest_mqchaos.report.context import Context, Payloads
from pytest_mqchaos.report.funnel import funnel
from pytest_mqchaos.report.plan import plan, surroundings

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.roles import Run

_RUN = "mqchaos_run"
_TOUCHED = re.compile(r'["$`\\!]')  # what a shell would not leave alone between double quotes


@dataclass(slots=True, kw_only=True)
class Telling:
    """`nodeid` as pytest knows the test, `profile` its profile, `directory` where the history file
    of a failure goes (None: nowhere). `ended` is called with each Chaos at its `with`'s end."""

    nodeid: str = ""
    profile: str = ""
    directory: Path | None = None
    ended: Callable[[Run], None] | None = None

    def context(self, chaos: Run) -> Context:
        """Everything around a verdict."""
        return Context(
            plan_source=chaos.plan.source() if chaos.plan.rules else "",
            seed=chaos.plan.seed,
            broker=chaos.host.version,
            clients=chaos.view.clients(),
            replay=self.replay(chaos),
            logs=chaos.crew.logs(),
            payloads=self.payloads(chaos),
            guarantees={armed.index: armed.row.survives for armed in chaos.armed},
            consequences=missing([armed.rule for armed in chaos.armed], chaos.last_history),
            error_name=chaos.host.side.error_name,
            history_file=_near(self.directory / "history.jsonl") if self.directory else "",
        )

    def replay(self, chaos: Run) -> str:
        """The one line that runs this test with these rules again."""
        arguments = self.arguments(chaos)
        return line(arguments) if arguments else ""

    def arguments(self, chaos: Run) -> list[str]:
        """The same as arguments of pytest: the node id first."""
        if not self.nodeid:
            return []
        plan = [f"--mqchaos-plan={chaos.plan.token}"] if chaos.plan.rules else []
        kind = chaos.host.kind
        broker = [f"--mqchaos-broker={kind}"] if kind != "embedded" else []
        nodes = [f"--mqchaos-nodes={chaos.nodes}"] if chaos.nodes > 1 else []
        return [self.nodeid, *plan, *broker, *nodes]

    def blame(self, chaos: Run, error: BaseException) -> None:
        """The run that an example failed with, laid on its error: `run_of`. An error that does not
        tell the plan itself gets it as a note."""
        if getattr(error, _RUN, None) is None:
            setattr(error, _RUN, chaos)
            if not isinstance(error, VerdictFailed | UsageError):
                error.add_note(f"mqchaos\n{self.summary(chaos)}")

    def failure(self, chaos: Run, verdict: Verdict) -> str:
        """The failure text; the whole history goes to its file."""
        history = chaos.last_history
        self.keep(history, self.payloads(chaos))
        return text.failure(verdict, history, self.context(chaos))

    def summary(self, chaos: Run) -> str:
        """Funnel and rules without a verdict, for a test that failed for a reason of its own."""
        try:
            history = chaos.last_history = chaos.history
        except MqchaosError as error:
            return f"what was seen cannot be told: {type(error).__name__}: {error}"
        context = self.context(chaos)
        self.keep(history, context.payloads)
        lines = [funnel(history), "", *plan(history, context)]
        lines += [f"  {label:<9}{told}" for label, told in surroundings(context)]
        lines += [f"  replay   {context.replay}"] if context.replay else []
        lines += [f"  history  {context.history_file}"] if context.history_file else []
        return "\n".join(lines)

    @staticmethod
    def payloads(chaos: Run) -> Payloads:
        """How keys and values may be shown."""
        return "hash" if chaos.host.config.payloads == "hash" else "show"

    def keep(self, history: History, payloads: Payloads) -> None:
        """Write the history where the report says it is."""
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
            with (self.directory / "history.jsonl").open("w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in jsonl.lines(history, payloads=payloads))


def run_of(error: BaseException | None) -> Run | None:
    """The run that `blame` laid on it."""
    return getattr(error, _RUN, None)


def line(arguments: Sequence[str]) -> str:
    """A command line for arguments of pytest, the node id first. Ids of parameters may hold
    anything."""
    nodeid = arguments[0]
    quoted = shlex.quote(nodeid) if _TOUCHED.search(nodeid) else f'"{nodeid}"'
    return " ".join(["pytest", quoted, *arguments[1:]])


def _near(path: Path) -> str:
    """The path as a person in the working directory would write it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
