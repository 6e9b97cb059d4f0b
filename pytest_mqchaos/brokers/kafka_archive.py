"""The class-data archive that halves the start of a Kafka node: made once per machine by one short
run. It must never know the cluster that will use it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pytest_mqchaos.brokers.java import cache_directory, only_one
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_node import Software
from pytest_mqchaos.brokers.kafka_nodes import new_nodes

_READY = 60.0  # seconds
_DUMP = 90.0  # seconds that writing an archive at the end may take: 2 when nothing else runs


def trained(software: Software) -> Path | None:
    """The class-data archive for this Java and these jars, made by one short run if there is none.
    None while another test process makes it, or if the JVM would not."""
    archive = software.java.archive(cache_directory(), software.classpath)
    if archive.exists():
        return archive
    with only_one(archive.with_suffix(".lock"), wait=False) as mine:
        if not mine:
            return None
        if not archive.exists():
            _train(software, archive)
    return archive if archive.exists() else None


def _train(software: Software, archive: Path) -> None:
    node = new_nodes(1, software, {}).brokers[1]
    dumped = archive.with_suffix(f".{os.getpid()}")
    try:
        node.start(dump=dumped)
        with Direct(node.address, timeout=_READY) as direct:
            direct.wait_ready(check=node.child.check)
            direct.finalize_features()
            direct.create_topic("mqchaos-warm", 1)
            direct.ends(["mqchaos-warm"])
            direct.committed("mqchaos-warm")
        node.terminate(_DUMP)
        if dumped.exists():
            shutil.move(dumped, archive)
    finally:
        node.close()
        dumped.unlink(missing_ok=True)
