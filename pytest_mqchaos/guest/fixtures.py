"""What the fixtures give: the session's broker, and one Chaos per test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mqchaos.brokers.providers import kinds, lacking
from pytest_mqchaos.chaos.host import ChaosBroker
from pytest_mqchaos.chaos.session import Chaos
from pytest_mqchaos.chaos.telling import Telling
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.guest import settings
from pytest_mqchaos.guest.marks import Chosen, words
from pytest_mqchaos.plan.rules import Plan

RUNNING = pytest.StashKey[Chaos]()
LAST = Path(".mqchaos") / "last"


def broker(request: pytest.FixtureRequest, protocol: str, given: Any) -> Iterator[ChaosBroker]:
    """The session's broker, started and stopped."""
    config = request.config
    if given is not None:
        raise UsageError(
            f"the fixture mqchaos_broker gave {given!r}: brokers of your own come with a later "
            "version; use --mqchaos-broker=embedded or process"
        )
    kind = settings.kind_of(config)
    if kind not in kinds(protocol):
        raise UsageError(
            f"--mqchaos-broker={kind}: {protocol} has no such broker in this version. Possible: "
            f"{', '.join(kinds(protocol))}"
        )
    reason = lacking(protocol, kind)
    if reason is not None:
        pytest.skip(reason)
    with ChaosBroker(protocol, kind, config=settings.config_of(config)) as made:
        yield made


def chaos(request: pytest.FixtureRequest, host_name: str, chosen: Chosen | None) -> Iterator[Chaos]:
    """Give the test its Chaos, judged at the end of its call phase (see `ending`)."""
    host: ChaosBroker = request.getfixturevalue(host_name)
    item = request.node
    said = words(list(item.iter_markers("mqchaos")))
    plan = _seeded(request, chosen.plan if chosen else Plan())
    lacks = [need for need in (chosen.needs if chosen else ()) if need not in host.abilities]
    if lacks:
        text = (
            f"NOT APPLICABLE: {chosen.name if chosen else ''} needs a broker that is "
            f"{' and '.join(lacks)}; the {host.kind} broker is not: use --mqchaos-broker=process"
        )
        if said.get("may_skip"):
            pytest.skip(text)
        raise UsageError(f"{text}, or say may_skip=True in the mark")
    made = host.chaos(
        plan, id=said.get("id"), own_assertions=bool(said.get("own_assertions")),
        telling=Telling(
            nodeid=_nodeid(item), profile=chosen.name if chosen else "",
            directory=_directory(request),
        ),
    )  # fmt: skip
    made.key = said.get("key")
    made.may_skip = bool(said.get("may_skip"))
    try:
        made.start()
        item.stash[RUNNING] = made
        yield made
    finally:
        made.finish(body_failed=True)  # nothing to do unless the call phase never came
        made.close()


def _seeded(request: pytest.FixtureRequest, plan: Plan) -> Plan:
    if plan.seed or not plan.rules:
        return plan
    return Plan(*plan.rules, seed=settings.seed_of(request.config, request.node.nodeid))


def _nodeid(item: pytest.Item) -> str:
    """The test without its profile: the replay line brings the plan itself."""
    if not hasattr(item, "callspec") or "mqchaos_plan" not in item.callspec.params:
        return item.nodeid
    name = item.callspec.params["mqchaos_plan"].name
    rest = [part for part in item.callspec.id.split("-") if part]
    plain = item.nodeid.rpartition("[")[0] or item.nodeid
    others = item.callspec.id.replace(name, "").strip("-")
    return f"{plain}[plan-{others}]" if others and rest else plain


def _directory(request: pytest.FixtureRequest) -> Path:
    name = re.sub(r"[^\w.-]+", "_", request.node.nodeid)[-120:]
    given = request.config.getoption("mqchaos_report")
    return (Path(given) if given else request.config.rootpath / LAST) / name
