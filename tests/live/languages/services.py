"""The services of fixtures/languages as commands: how each is made and started, once for all runs.

It knows compilers and class paths, nothing of what the services are put through. Built is below
build/languages; Go's modules and npm's packages come from what the user's own settings say.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mqchaos.brokers.kafka_jars import kafka_jars

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "fixtures" / "languages"
BUILT = ROOT / "build" / "languages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One client's service. `argv` begins the command, `more` ends that of a consumer. `modes` are
    the ways to consume that it has beyond late, early and once."""

    name: str
    argv: tuple[str, ...]
    version: str
    codecs: tuple[str, ...] = ("gzip", "snappy", "lz4", "zstd")
    more: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    idempotent: bool = True
    transactions: bool = True
    newer: bool = False  # speaks KIP-848 and nothing but consumes


def _run(argv: Sequence[str | Path], directory: Path) -> str:
    done = subprocess.run(
        [str(word) for word in argv], cwd=directory, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}:\n{done.stdout}")
    return done.stdout


def java(built: Path = BUILT / "java") -> tuple[Service, ...]:
    """Compiled once, so that a restart of a worker does not wait for the compiler."""
    jars, version = kafka_jars()
    path = os.pathsep.join(str(jar) for jar in jars)
    built.mkdir(parents=True, exist_ok=True)
    _run(["javac", "-cp", path, "-d", built, "Service.java"], SOURCES / "java")
    argv = (
        "java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp", os.pathsep.join((path, str(built))), "Service",
    )  # fmt: skip
    told = f"kafka-clients {version} (Java)"
    return (
        Service(name="kafka-clients", argv=argv, version=told),
        Service(name="kafka-clients, KIP-848", argv=argv, version=told, more=("consumer",),
                newer=True),
    )  # fmt: skip


def go() -> tuple[Service, ...]:
    """One program with three clients."""
    program = BUILT / "go" / "service"
    program.parent.mkdir(parents=True, exist_ok=True)
    _run(["go", "build", "-o", program, "."], SOURCES / "go")
    listed = _run(["go", "list", "-m", "all"], SOURCES / "go").splitlines()
    versions = dict(line.split()[:2] for line in listed if " " in line)

    def service(name: str, module: str, *, whole: bool = True) -> Service:
        return Service(
            name=name, argv=(str(program), name), version=f"{name} {versions[module][1:]} (Go)",
            idempotent=whole, transactions=whole,
        )  # fmt: skip

    return (
        service("franz-go", "github.com/twmb/franz-go"),
        service("sarama", "github.com/IBM/sarama"),
        service("kafka-go", "github.com/segmentio/kafka-go", whole=False),
    )


def node() -> tuple[Service, ...]:
    """kafkajs, with the one codec that its users add most."""
    built = BUILT / "node"
    shutil.copytree(SOURCES / "node", built, dirs_exist_ok=True)
    _run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"], built)
    package = "require('kafkajs/package.json').version"
    version = _run(["node", "-p", package], built).strip()
    return (
        Service(
            name="kafkajs", argv=("node", str(built / "service.js")),
            version=f"kafkajs {version} (Node)", codecs=("gzip", "snappy"),
            modes=("auto", "batch"),
        ),
    )  # fmt: skip


MAKERS: tuple[Callable[[], tuple[Service, ...]], ...] = (java, go, node)
