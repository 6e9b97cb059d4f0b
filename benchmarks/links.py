"""How closely a link looks in a benchmark: nothing, every message decoded, everything recorded.

    link            no rule, no history: frames are parsed, nothing else
    link, decoded   a rule that waits for a message that never comes: every published record is
                    decoded and its id compared, and every fetched one
    link, recorded  the default of a test without rules: what carries messages goes whole into the
                    history

It knows commands of a data plane; it must never know what is measured.
"""

from __future__ import annotations

from pathlib import Path

from pytest_mqchaos import on
from pytest_mqchaos.dataplane.controller import DataPlane

LINKS = ("link", "link, decoded", "link, recorded")


def begin(plane: DataPlane, way: str, history: Path) -> None:
    """A run of that kind starts."""
    history.unlink(missing_ok=True)
    record = way == "link, recorded"
    plane.request("begin", history=str(history) if record else None, settings={"record": record})
    if way == "link, decoded":
        rules = [on.publish(id="no such one").drop(), on.deliver(id="no such one").sever()]
        armed = [{"index": n, "rule": rule.to_json()} for n, rule in enumerate(rules)]
        plane.request("arm", rules=armed)
