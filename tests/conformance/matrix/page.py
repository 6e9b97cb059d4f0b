"""The page docs/reference/client-matrix.md: the table in Markdown, nothing but what cells.py holds.

It is written by `python -m tests.conformance.matrix` when every cell was as the table says, and
compared with the table by tests/docs/test_client_matrix.py.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.matrix import load
from tests.conformance.matrix.cells import BROKERS, CELLS, CLIENTS, Cell
from tests.conformance.matrix.features import FEATURES

PATH = Path(__file__).parents[3] / "docs" / "reference" / "client-matrix.md"
TITLES = {"embedded": "embedded", "process": "Kafka"}
HEAD = """<!-- Made by `make clients`, which runs every cell; change the table, not this page. -->
# Clients: what was run

Every cell was run through the links of one `Chaos`, with everything on record and no rule armed:
{clients} on the [embedded cluster](embedded-kafka.md) and on Apache Kafka {kafka}.
A cell is **yes** when what the application was given is what was sent, the broker's log and
committed offsets say the same, no frame was left undecoded and the history has no gap, and every
publish and every commit was confirmed.

The rows *under load* are run on three nodes, and there one rule is armed: an idempotent producer
sends {count} messages with acks=all to a topic of {replication} replicas (min.insync.replicas
{least}), a group of two reads and commits them, and at the {middle}th the leader of its partition
is killed, or hands the partition to another node. **Yes** is then: every message was confirmed to
the application, is in the log once and in order, and was read and committed. One exception:
librdkafka may store a message twice that the old leader had stored and refused all the same
([librdkafka#4953](https://github.com/confluentinc/librdkafka/issues/4953); once in some fifty runs
on Apache Kafka, never on the embedded cluster).

A number is a limit that is explained below; its cell was run, too, and the limit found as
described.
"""
TAIL = """## Run it

`make clients` runs all of it in some minutes (real Kafka needs Java 17 and Maven) and writes this
page if every cell is as the table says; `make clients ARGS="embedded seek"` runs the cells that
have all these words in their names and writes nothing. What is asked in each row stands in
`tests/conformance/matrix`.
"""


def text(versions: dict[str, str], kafka: str) -> str:
    """The page. `versions`: distribution -> version; `kafka`: the release of the real broker."""
    notes = _notes()
    named = [f"{client.package} {versions[client.package]}" for client in CLIENTS]
    rows = [
        ["", *(f"{c.name}, {TITLES[b]}" for b in BROKERS for c in CLIENTS)],
        ["---"] * (1 + len(BROKERS) * len(CLIENTS)),
        *([f.name, *(_word(f, c, b, notes) for b in BROKERS for c in CLIENTS)] for f in FEATURES),
    ]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    head = HEAD.format(
        clients=", ".join(named), kafka=kafka, count=load.COUNT, middle=load.MIDDLE,
        replication=load.SHAPE["replication"], least=load.SHAPE["min_insync"],
    )  # fmt: skip
    limits = "".join(f"{n}. {limit.why} ({limit.source}).\n" for limit, n in notes.items())
    return f"{head}\n{table}\n## Limits\n\n{limits}\n{TAIL}"


def _notes():
    """Every limit with its number, in the order of the table."""
    found = dict.fromkeys(cell.limit for cell in _by_row() if cell.limit)
    return {limit: number for number, limit in enumerate(found, 1)}


def _by_row():
    order = {feature.name: number for number, feature in enumerate(FEATURES)}
    return sorted(CELLS, key=lambda cell: order[cell.feature.name])


def _word(feature, client, broker, notes):
    limit = Cell(feature, client, broker).limit
    return "yes" if limit is None else f"[{notes[limit]}](#limits)"
