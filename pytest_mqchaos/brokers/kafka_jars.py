"""Where Apache Kafka's jars come from: an unpacked distribution, or Maven once per machine.

It knows coordinates and the cache; it must never know how a broker is run. No repository is named:
Maven asks whatever the user's own settings say.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

from pytest_mqchaos.brokers.java import cache_directory, only_one
from pytest_mqchaos.errors import BrokerError, UsageError

KAFKA_VERSION = "4.3.1"

# What one combined node needs to run and to replicate, and nothing else (group:artifact:version).
# kafka-storage-api looks spare: one node works without it, replication fails silently.
COORDINATES = (
    "at.yawk.lz4:lz4-java:1.10.2",
    "com.dynatrace.hash4j:hash4j:0.22.0",
    "com.fasterxml.jackson.core:jackson-annotations:2.21",
    "com.fasterxml.jackson.core:jackson-core:2.21.2",
    "com.fasterxml.jackson.core:jackson-databind:2.21.2",
    "com.github.luben:zstd-jni:1.5.6-10",
    "com.google.re2j:re2j:1.8",
    "com.typesafe.scala-logging:scala-logging_2.13:3.9.6",
    "com.yammer.metrics:metrics-core:2.2.0",
    "commons-validator:commons-validator:1.10.1",
    "net.sf.jopt-simple:jopt-simple:5.0.4",
    "org.apache.kafka:kafka-clients:4.3.1",
    "org.apache.kafka:kafka-coordinator-common:4.3.1",
    "org.apache.kafka:kafka-group-coordinator-api:4.3.1",
    "org.apache.kafka:kafka-group-coordinator:4.3.1",
    "org.apache.kafka:kafka-metadata:4.3.1",
    "org.apache.kafka:kafka-raft:4.3.1",
    "org.apache.kafka:kafka-server-common:4.3.1",
    "org.apache.kafka:kafka-server:4.3.1",
    "org.apache.kafka:kafka-share-coordinator:4.3.1",
    "org.apache.kafka:kafka-storage-api:4.3.1",
    "org.apache.kafka:kafka-storage:4.3.1",
    "org.apache.kafka:kafka-transaction-coordinator:4.3.1",
    "org.apache.kafka:kafka_2.13:4.3.1",
    "org.apache.logging.log4j:log4j-api:2.25.4",
    "org.hdrhistogram:HdrHistogram:2.2.2",
    "org.pcollections:pcollections:4.0.2",
    "org.scala-lang:scala-library:2.13.18",
    "org.slf4j:slf4j-api:1.7.36",
    "org.slf4j:slf4j-simple:1.7.36",
    "org.xerial.snappy:snappy-java:1.1.10.7",
)

_TIMEOUT = 900.0  # a slow mirror is slow; a dead one ends earlier by Maven's own time-outs


def lacking_jars() -> str | None:
    """What to install when neither a distribution, nor the cache, nor Maven is there; else None."""
    if os.environ.get("KAFKA_HOME") or _cached().is_dir() or shutil.which("mvn"):
        return None
    return (
        "the jars of Apache Kafka are not on this machine: install Maven (mvn), which fetches them "
        "once, or set KAFKA_HOME to an unpacked distribution"
    )


def kafka_jars() -> tuple[tuple[Path, ...], str]:
    """The class path (sorted: its order is part of a class-data archive) and Kafka's version.

    Fetches on first use; tests that start in parallel wait for the one that fetches. UsageError if
    something must be installed, BrokerError with Maven's words if it fails.
    """
    reason = lacking_jars()
    if reason is not None:
        raise UsageError(reason)
    home = os.environ.get("KAFKA_HOME")
    if home:
        return _distribution(Path(home))
    if not _cached().is_dir():
        with only_one(cache_directory() / "kafka.lock", wait=True):
            if not _cached().is_dir():
                _fetch(_cached())
    return tuple(sorted(_cached().glob("*.jar"))), KAFKA_VERSION


def _cached() -> Path:
    return cache_directory() / f"kafka-{KAFKA_VERSION}"


def _distribution(home: Path) -> tuple[tuple[Path, ...], str]:
    jars = tuple(sorted((home / "libs").glob("*.jar")))
    versions = [
        m[1] for jar in jars if (m := re.fullmatch(r"kafka_2\.\d+-([\d.]+)\.jar", jar.name))
    ]
    if not versions:
        raise UsageError(
            f"KAFKA_HOME={home} has no libs/kafka_2.*.jar: set it to the top folder of an unpacked "
            "Apache Kafka distribution, or unset it"
        )
    if int(versions[0].split(".")[0]) < 4:  # noqa: PLR2004 - the static quorum without format
        raise UsageError(f"KAFKA_HOME={home} is Kafka {versions[0]}: 4.0 or newer is needed")
    return jars, versions[0]


def _fetch(target: Path) -> None:
    """Into a folder beside the target, which appears whole or not at all."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetching-") as work:
        folder = Path(work)
        (folder / "pom.xml").write_text(_pom())
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise BrokerError(f"{' '.join(command)} did not end within {_TIMEOUT:g} s") from error
        wanted = {"{1}-{2}.jar".format(*each.split(":")) for each in COORDINATES}
        missing = wanted - {jar.name for jar in (folder / "jars").glob("*.jar")}
        if done.returncode != 0 or missing:
            words = "\n".join(
                f"  {line}" for line in (done.stdout + done.stderr).splitlines()[-12:]
            )
            raise BrokerError(
                f"Maven could not fetch the jars of Apache Kafka {KAFKA_VERSION} (status "
                f"{done.returncode}, missing: {', '.join(sorted(missing)) or 'none'}).\n{words}"
            )
        (folder / "jars").rename(target)


def _pom() -> str:
    """Each jar by itself, without what it depends on: the list is complete."""
    everything = "<groupId>*</groupId><artifactId>*</artifactId>"
    alone = f"<exclusions><exclusion>{everything}</exclusion></exclusions>"
    each = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>".format(
            *map(escape, coordinate.split(":"))
        )
        + f"{alone}</dependency>\n"
        for coordinate in COORDINATES
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>mqchaos</groupId><artifactId>kafka-jars</artifactId><version>1</version>"
        f"<packaging>pom</packaging><dependencies>\n{each}</dependencies></project>\n"
    )
