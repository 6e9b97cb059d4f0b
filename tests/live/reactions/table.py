"""Every row of the table of reactions, and how one is run."""

from __future__ import annotations

from tests.live.reactions import consumers, crashes, in_flight, producers, retention, transactions

PARTS = (producers, in_flight, consumers, retention, crashes, transactions)
CASES = [case for part in PARTS for case in part.cases()]


def outcome(broker, case):
    """The consequence that this case has on this broker, in words. What the run itself raises (an
    assertion of the conversation, a wait that ended) is an outcome too: never that of a row."""
    try:
        return case.run(broker, case)
    except Exception as error:  # noqa: BLE001 - told in the table, and no row expects it
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
