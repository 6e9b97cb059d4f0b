"""Whether a run that was struck says what happened: exit status, output, verdict.

It reads what a user reads. A pass is true only where nothing that the question needs was killed
before it was answered, or where what was killed came back, as a rule or supervisor makes it.
"""

from __future__ import annotations

import re
import signal

from orphans.kills import BROKER, PLANE, WORKER, Kind

PASSED, FAILED, INTERRUPTED = 0, 1, 2
_NOT_YET = ("interpreter", "collection", "set-up", "broker starts")
_OVER = ("judged", "tear-down", "exit")
# What must be said of who died, where the question needed it.
_WORDS = {
    WORKER: r"was killed by signal 9",
    PLANE: r"DataPlaneDied: the data plane \(pid \d+\)",
    BROKER: r"Kafka node 1 .*(ended|died|is gone|killed)",
}


def undisturbed(scenario: str, status: int | None, said: str) -> str:
    """What is wrong with a run that nobody struck."""
    expected = FAILED if scenario == "proof" else PASSED
    return "" if status == expected else f"status {status}: {said[-2000:]}"


def untruths(
    kind: Kind, stage: str, scenario: str, status: int | None, said: str
) -> tuple[str, ...]:
    """What is wrong with the end of a run that was struck in this way at this stage."""
    found = []
    looked_at = _without_pythons(said) if kind.ctrl_c else said if kind.survives else ""
    if ours := _ours(looked_at):
        found.append(f"a traceback of ours: {ours}")
    if "INTERNALERROR" in said and kind.output == "file":
        found.append("an internal error of pytest")
    if kind.ctrl_c and not _interrupted(stage, status, said):
        found.append(f"Ctrl-C ended it with status {status}")
    if kind.survives:
        found += _verdict(kind, stage, scenario, status, said)
    return tuple(found)


def _ours(said: str) -> str:
    """A line of a traceback into our package, or of an exception that nobody took."""
    match = re.search(
        r"^.*(Exception ignored|Exception in thread|never awaited).*$"
        r'|^ *File ".*pytest_mqchaos/.*$',
        said, re.MULTILINE,
    )  # fmt: skip
    return match[0].strip() if match else ""


def _without_pythons(said: str) -> str:
    """Without what Python says when a Ctrl-C comes inside a callback from which no exception can
    get out (of a weak reference, `__del__`, an atexit), unless there is code of ours in it."""
    return re.sub(
        r"^.*Exception ignored (?:(?!pytest_mqchaos|mqchaos-)[\s\S])*?^KeyboardInterrupt.*$",
        "", said, flags=re.MULTILINE,
    )  # fmt: skip


def _interrupted(stage: str, status: int | None, said: str) -> bool:
    """Python itself, before pytest listens and after it has ended, dies by the signal. So it does
    afterwards, whatever pytest makes of it, if what was interrupted was text given to `exec`, as of
    a dataclass that is being made (see docs/reference/robustness.md)."""
    if stage in ("interpreter", *_OVER):
        return True
    executed = "KeyboardInterrupt !!!" in said and "<string>:" in said
    return status == INTERRUPTED or (executed and status == -signal.SIGINT)


def _verdict(kind: Kind, stage: str, scenario: str, status: int | None, said: str) -> list[str]:
    told = re.search(_WORDS[kind.target], said) is not None
    if status == FAILED and (told or scenario == "proof"):
        return []
    if status == FAILED:
        return ["it failed, but what died is not told"]
    if status != PASSED:
        return [f"status {status} is neither passed nor failed"]
    if stage in _OVER:
        return []
    if kind.target == BROKER and stage in _NOT_YET:
        return []  # it was started once more, before anything was asked of it
    if kind.target == WORKER and (stage == "workers stop" or "rules took effect" in said):
        return []  # it was being stopped anyway; or a fault explains it and it was started again
    return ["it passed, although what it needs was killed before it was asked"]
