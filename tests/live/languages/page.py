"""The table of the languages as a page, and what differs. It knows words and Markdown only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.live.languages.services import Service

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "languages.md"
HEAD = """<!-- Made by `make languages`, which runs every cell; change the code, not this page. -->
# Services in other languages

What a service is written in does not matter: it is a [command](../how-to/workers.md) that finds
its broker in `MQCHAOS_BOOTSTRAP_SERVERS` and appends its effects to the file `MQCHAOS_EFFECTS`.
Here small services (sources below `fixtures/languages/`), written as the clients' own pages show
it, are run under rules through the links: {versions}; on the [embedded cluster](embedded-kafka.md)
and on Apache Kafka {kafka}.

**yes**: it came as it has to on both. A correct service passed `lossless`, `idempotent` and
`acked_after_effect` (producers: `no_copies`; transactions: `exactly_once`), and the rule took
effect. A *broken twin* (in italics) failed, with the sentence that names its bug: work done twice,
work lost behind its commit, a copy in the log. **-**: not asked, see below.

"""
TAIL = """
## What is left out

* kafka-go has neither an idempotent producer nor transactions: each confirm that is lost leaves a
  copy.
* kafkajs has gzip built in, the other codecs are packages; snappy (`kafkajs-snappy`) stands for
  them.
* Members of the newer group protocol (KIP-848) send no Heartbeat: the profile `rebalance` puts them
  out of their group some seconds after their first ConsumerGroupHeartbeat.
* Three nodes were tried on the embedded cluster alone.

## What differs between clients

* **sarama** reads and commits over one connection: on a single node a commit waits for the fetch
  before it, half a second each (`Consumer.MaxWaitTime`). Its `session.Commit()` returns nothing:
  whether a commit failed is not told there. Its producer sends again three times, 100 ms apart
  (`Producer.Retry`), and gives up before a leader is replaced; the service here sets more.
* **kafka-go** takes up to 9 s to close (a fetch that waits, `MaxWait`), **kafkajs** up to 5 s
  (`maxWaitTimeInMs`): a test with them ends that much later. A second member of kafka-go that
  joins after the first has its partitions waits as long; on real Kafka, which waits for members for
  a moment (`group.initial.rebalance.delay.ms`), both may join together.
* **kafkajs** does not restart a consumer whose `commitOffsets` inside `eachMessage` was refused,
  nor one whose transaction could not be ended; the process ends with status 0, as if its work were
  done, and no supervisor starts it again. End it with another status in `consumer.events.CRASH`
  when `payload.restart` is false, as the service here does; else the messages stay `waiting`,
  `unknown`.
* **franz-go** as a transformer asks for its committed offsets before it ends what a killed
  predecessor left open, and Kafka withholds them until that transaction times out
  (`kgo.TransactionTimeout`, 40 s by default). `chaos.settle()` waits for that, at most 75 s; a test
  is that much quicker with a few seconds there, as in the service here.

## Run it

`make languages` (Go, a JDK, Maven, Node and npm). `ARGS="--kind embedded"`, `ARGS="--only sarama"`
run some of it and leave this page as it is. The Java service is part of `make live`, too.
"""


def page(
    services: Sequence[Service], cells: Mapping[tuple[str, str, str], str],
    versions: Sequence[str], kafka: str,
) -> str:  # fmt: skip
    """The whole page."""
    rows = list(dict.fromkeys(scene for _, _, scene in cells))
    names = [service.name for service in services]
    table = ["|  | " + " | ".join(names) + " |", "| --- " * (len(names) + 1) + "|"]
    table += [
        f"| {row} | " + " | ".join(_cell(cells, name, row) for name in names) + " |" for row in rows
    ]
    head = HEAD.format(versions=", ".join(versions), kafka=kafka)
    return head + "\n".join(table) + "\n" + TAIL


def _cell(cells: Mapping[tuple[str, str, str], str], name: str, row: str) -> str:
    found = {
        kind: said for (kind, one, scene), said in cells.items() if (one, scene) == (name, row)
    }
    if not found:
        return "-"
    wrong = [f"{kind}: {said}" for kind, said in found.items() if said]
    if wrong:
        return "**" + "; ".join(wrong).replace("|", "\\|") + "**"
    return "yes" if len(found) > 1 else "yes (embedded)"
