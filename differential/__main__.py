"""Run a campaign and print its figures.

    python -m differential [--conversations 1000] [--chance 0] [--nodes 1|3] [--keep] [FAMILY ...]

`--keep` writes each kind of difference as a script (differential/scripts) with Kafka's answers.
It needs what --mqchaos-broker=process needs: Java, and Apache Kafka's jars.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import defaultdict

from differential.campaign import Figures, Found, run
from differential.families.table import FAMILIES, generated
from differential.frames import VERSIONS
from differential.real import Kafka
from differential.verdict import REPEATS
from pytest_mqchaos.brokers.providers import lacking


def main() -> int:
    """The exit status: 1 if anything differed that is not listed."""
    options = _options()
    reason = lacking("kafka", "process")
    if reason is not None:
        print(reason)
        return 2
    names = options.family or list(FAMILIES)
    each = -(-options.conversations // len(names))
    began = time.monotonic()
    conversations = [
        one for name in names for one in generated(name, each, options.chance, options.nodes)
    ]
    print(f"{len(conversations)} conversations generated in {time.monotonic() - began:.0f} s")
    with Kafka(options.nodes) as kafka:
        figures, began = Figures(), time.monotonic()
        found = run(
            kafka, conversations, figures, lambda n: print(f"{n} played", end="\r", flush=True)
        )
        _print(figures, found, kafka.version, time.monotonic() - began)
    for one in found if options.keep else ():
        name = re.sub(r"[^a-z0-9]+", "-", one.kind.lower()).strip("-")[:60]
        print(f"kept {one.script.save(name).name}")
    return 1 if found or figures.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m differential", description=__doc__)
    parser.add_argument("--conversations", type=int, default=1200)
    parser.add_argument("--chance", type=int, default=0, help="another number, other conversations")
    parser.add_argument("--nodes", type=int, default=1, choices=(1, 3))
    parser.add_argument("--keep", action="store_true", help="write a script of each difference")
    parser.add_argument("family", nargs="*", choices=[[], *FAMILIES])
    return parser.parse_args()


def _print(figures: Figures, found: list[Found], version: str, seconds: float) -> None:
    apis = sorted({api for api, _ in figures.covered})
    print(f"Apache Kafka {version}: {figures.conversations} conversations, {figures.requests} "
          f"requests in {seconds:.0f} s")  # fmt: skip
    print(f"{len(apis)} APIs in {len(figures.covered)} versions, {len(figures.codes)} error codes")
    for api in apis:
        low, high = VERSIONS[api]
        seen = sorted(version for name, version in figures.covered if name == api)
        lacks = [str(n) for n in range(low, high + 1) if n not in seen]
        print(f"  {api} {low}-{high}" + (f", not seen: {', '.join(lacks)}" if lacks else ""))
    for why, count in sorted(figures.listed.items(), key=lambda item: -item[1]):
        print(f"listed {count} times: {why}")
    _print_varies(figures)
    for failure in figures.failures[:10]:
        print(f"FAILED in the embedded cluster: {failure}")
    print(f"{len(found)} kinds of difference that are not listed")
    for one in sorted(found, key=lambda one: -one.count):
        print(f"\n{one.count} times, shown by {len(one.script.conversation.steps)} steps:")
        shown = one.difference.number >= 0
        print(f"  {one.difference if shown else f'not seen again: {one.kind}'}")
        for step in one.script.conversation.steps:
            print(f"    {step.api} v{step.version} {step.values}"[:600])


def _print_varies(figures: Figures) -> None:
    plays = len(figures.varies) * REPEATS
    agreed = sum(count for _, count in figures.varies)
    print(f"{len(figures.varies)} times Kafka disagreed with itself; played again without haste it "
          f"gave our answer in {agreed} of {plays}")  # fmt: skip
    kinds: dict[str, list[int]] = defaultdict(list)
    for told, count in figures.varies:
        kinds[told.kind()].append(count)
    for kind, agreeing in sorted(kinds.items()):
        print(f"  {kind}: ours in {sum(agreeing)} of {len(agreeing) * REPEATS}")


if __name__ == "__main__":
    sys.exit(main())
