"""One campaign: one target under atheris (libFuzzer), in a process of its own.

python -m fuzz.campaign TARGET CORPUS -max_total_time=60 ...      libFuzzer's own options
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from random import Random
from types import ModuleType

import atheris

WATCHED = ["pytest_mqchaos", "kio.serial"]


def load(name: str) -> ModuleType:
    """The target, with everything that its seeds touch compiled for coverage."""
    with atheris.instrument_imports(include=WATCHED, enable_loader_override=False):
        target = importlib.import_module(f"fuzz.targets.{name}")
        for seed in target.seeds():
            target.one(seed)
    return target


def plant(target: ModuleType, corpus: Path) -> None:
    """Write the seeds where libFuzzer begins."""
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number:03}").write_bytes(seed)


def main() -> None:
    """Run until libFuzzer ends, which ends the process."""
    _, name, corpus, *options = sys.argv
    target = load(name)
    plant(target, Path(corpus))

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        dice = Random(seed)
        if not hasattr(target, "mutate") or dice.random() < 0.2:
            return bytes(atheris.Mutate(data, size))
        return bytes(target.mutate(data, size, dice))

    atheris.Setup([sys.argv[0], corpus, *options], target.one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main()
