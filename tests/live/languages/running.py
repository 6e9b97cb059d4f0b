"""All scenes of one client on one broker, in a process of its own: what came of each.

It knows brokers and patience, nothing of languages or pages.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.host import ChaosBroker
from tests.live.languages.scenes import perform, scenes_of
from tests.live.languages.services import Service

Cells = dict[tuple[str, str, str], str]  # (broker, client, scene) -> what came otherwise


def run(kind: str, service: Service, only: str) -> Cells:
    """All scenes of one client on one broker."""
    cells: Cells = {}
    config = Config(settle_timeout=30.0, effect_timeout=2.0)
    with ChaosBroker("kafka", kind, config=config) as host:
        for scene in scenes_of(service):
            if scene.several_nodes and kind == "process":
                continue
            if only and only not in service.name and only not in scene.name:
                continue
            with tempfile.TemporaryDirectory() as place:
                said = perform(host, service, scene, Path(place))
            cells[kind, service.name, scene.name] = said
            print(
                f"{kind:9} {service.name:23} {scene.name:45} {said or 'as it has to'}", flush=True
            )
    return cells
