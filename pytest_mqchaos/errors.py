"""Every error that this package raises, on one screen.

Three different things are kept apart: *need more bytes* is not an error at all (codecs return),
*you erred* is `UsageError`, *the peer erred* is `PeerError`.
"""

from __future__ import annotations

from collections.abc import Iterable


class MqchaosError(Exception):
    """Root of the tree; catch it to catch everything of ours but a failed verdict."""


class UsageError(MqchaosError):
    """The test, the configuration or the command line asked for something that cannot be."""


class UnknownName(UsageError, AttributeError):
    """A name after a dot that does not exist (`on.confrim`); `hasattr` still answers False."""


class MissingExtra(UsageError):
    """An optional dependency is not installed; the text names the `pip install` to run."""


class Impossible(UsageError):
    """A deed cannot be done to a broker or a worker: not to one of its kind, or not as it is now
    (who is dead cannot be paused). It was left alone."""


class PeerError(MqchaosError):
    """A client or a broker said something that its protocol does not allow."""


class BrokerError(MqchaosError):
    """A broker did not start, did not answer or ended early; the text has its last lines."""


class BrokerRefused(BrokerError):
    """A broker answered a request of our own with an error; `code` is the protocol's number."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class DataPlaneDied(MqchaosError):
    """The process that moves the bytes is gone: nothing that was observed can be trusted."""


class WorkerFailed(MqchaosError):
    """The code under test ended by itself with an error; the text has its last lines."""


class WaitTimeout(MqchaosError):
    """A wait reached its limit; the text says what it waited for."""


class SimulationStuck(MqchaosError):
    """In virtual time nothing can ever happen any more, or too much time passed; the text lists
    what every task waits for."""


class EscapedSimulation(UsageError):
    """Code in virtual time reached for the real world; the text names the call and its place."""


class VerdictFailed(AssertionError):
    """A checker's answer was not `passed`. Its text is the failure text of the report."""


class NotApplicable(VerdictFailed):
    """No rule of the profile could act on this client or flow, and it was observed why."""


def unknown(what: str, given: object, allowed: Iterable[str], todo: str = "") -> UsageError:
    """Build the one error for a name that does not exist, with the nearest names that do."""
    names = sorted(allowed)
    import difflib  # 10 ms that only an error needs

    near = difflib.get_close_matches(str(given), names, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return UsageError(
        f"unknown {what} {given!r}.{hint} Allowed: {', '.join(names) or 'none'}."
        + (f" {todo}" if todo else "")
    )


def missing_extra(package: str, extra: str, why: str) -> MissingExtra:
    """Say which `pip install` to run; `package` is the import that failed, `why` what needs it."""
    return MissingExtra(
        f"{why} needs the package {package!r}, which is not installed: "
        f'pip install "pytest-mqchaos[{extra}]"'
    )
