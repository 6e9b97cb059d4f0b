"""Every row of the table of reactions, and how one, or many of them, are run."""

from __future__ import annotations

import logging
import warnings

from pytest_mqchaos import ChaosBroker
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


def run(kind, keys, times):
    """What was seen on one kind of broker: key -> outcomes, each named once; and its version."""
    logging.disable(logging.CRITICAL)  # clients tell of every cut
    warnings.simplefilter("ignore")
    seen = {}
    with ChaosBroker("kafka", kind) as broker:
        for case in CASES:
            if case.key in keys and kind in case.brokers:
                found = [outcome(broker, case) for _ in range(times)]
                seen[case.key] = list(dict.fromkeys(found))
                same = all(one in case.expected for one in found)
                print(f"{kind}: {'same' if same else 'DIFFERENT'} {case.key}", flush=True)
                if not same:
                    print("    saw", *seen[case.key], "\n    expected", *case.expected, flush=True)
        return seen, broker.version
