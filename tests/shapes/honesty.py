"""No false alarm and no missed plant, shown by running: `python -m tests.shapes.honesty`.

Every correct service and every planted twin under no fault, every profile, and (`--wide N`) under N
drawn variants: two profiles at once, other positions, 1, 2 or 50 messages, two workers. Prints the
table; `--write` writes docs/reference/honesty.md. Exit code 1 on any false alarm, any pass against
the truth, any twin that no profile exposes, any cell that broke.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import random
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from pytest_mqchaos import Plan
from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.host import ChaosBroker
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.profiles import profile
from tests.shapes import page
from tests.shapes.cells import Case, Cell, outcome, perform
from tests.shapes.every import SHAPES
from tests.shapes.shape import NO_FAULT, ORDERS, PROFILES, Shape, order, plan_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "honesty.md"
BY_NAME = {shape.name: shape for shape in SHAPES}
_host: Any = None


def cases(shapes: Iterable[Shape]) -> Iterator[Case]:
    """Every service under no fault, every profile and, a twin, under the plan that is its own."""
    for shape in shapes:
        for service in ("correct", *range(len(shape.caught))):
            yield Case(shape=shape.name, service=service, under=NO_FAULT, plan=Plan())
            for name in PROFILES:
                if name not in shape.cannot:
                    yield Case(shape=shape.name, service=service, under=name, plan=plan_of(name))
            own = None if service == "correct" else shape.caught[int(service)].under
            if isinstance(own, Plan):
                yield Case(shape=shape.name, service=service, under="a plan of its own", plan=own)


def drawn(shapes: list[Shape], count: int, seed: int) -> Iterator[Case]:
    """Variants, the same for the same seed; services correct and planted in turn."""
    chance = random.Random(seed)
    for number in range(count):
        shape = chance.choice(shapes)
        names = chance.sample([n for n in PROFILES if n not in shape.cannot], chance.choice((1, 2)))
        positions = {
            point: chance.randint(1, 4) for point in (Point.PUBLISH, Point.CONFIRM, Point.ACK)
        }
        rules = [rule for n in names for rule in profile(n, "kafka", positions=positions).rules]
        yield Case(
            shape=shape.name,
            service=chance.randrange(len(shape.caught)) if number % 4 == 3 else "correct",
            under=" + ".join(names),
            plan=Plan(*rules),
            orders=chance.choice((1, 2, 5, 5, 50)),
            partitions=chance.choice((1, 1, 3)),
            workers=chance.choice((0, 0, 2)) if shape.scales else 0,
        )


def _begin(kind: str) -> None:
    global _host  # noqa: PLW0603 - one broker per process of the pool
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # clients of crashed workers complain
    _host = ChaosBroker("kafka", kind, config=Config(effect_timeout=0.5))
    _host.__enter__()


def _one(case: Case) -> Cell:
    orders = ORDERS if case.orders == len(ORDERS) else tuple(map(order, range(1, case.orders + 1)))
    return perform(_host, BY_NAME[case.shape], case, orders)


def carry_out(todo: list[Case], kind: str, processes: int) -> list[Cell]:
    """All cells, in order."""
    context = multiprocessing.get_context("spawn")
    cells = []
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_begin, initargs=(kind,)
    ) as pool:
        for done, cell in enumerate(pool.map(_one, todo), 1):
            cells.append(cell)
            word = outcome(cell)
            if word in ("error", "missed") or (cell.case.service == "correct" and word != "passed"):
                print(page.line(cell), flush=True)
            if done % 50 == 0:
                print(f"... {done} of {len(todo)}", flush=True)
    return cells


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="shapes whose name contains this")
    parser.add_argument("--kind", default="embedded", help="embedded, or process for real Kafka")
    parser.add_argument("--wide", type=int, default=0, help="so many drawn variants as well")
    parser.add_argument("--narrow", action="store_true", help="the drawn variants only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    given = parser.parse_args(arguments)
    shapes = [shape for shape in SHAPES if any(p in shape.name for p in given.only.split(","))]
    began = time.monotonic()
    todo = [] if given.narrow else list(cases(shapes))
    cells = carry_out(todo, given.kind, given.processes)
    wide = carry_out(list(drawn(shapes, given.wide, given.seed)), given.kind, given.processes)
    text = page.text(shapes, cells, wide, seed=given.seed, kind=given.kind)
    print(text)
    print(f"{len(cells) + len(wide)} runs in {time.monotonic() - began:.0f} s")
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    return 1 if page.complaints(shapes, cells, wide) else 0


if __name__ == "__main__":
    sys.exit(main())
