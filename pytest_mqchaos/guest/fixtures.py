"""What the fixtures give: the session's broker, and one Chaos per test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_mqchaos.brokers.providers import lacking
from pytest_mqchaos.chaos.config import SEVERAL
from pytest_mqchaos.chaos.host import ChaosBroker
from pytest_mqchaos.chaos.session import Chaos
from pytest_mqchaos.chaos.telling import Telling
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.guest import examples, replay, settings
from pytest_mqchaos.guest.marks import PLAN, Chosen, words
from pytest_mqchaos.guest.stash import NO_BROKER, REPLAYED, RUNNING
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.plan.table import CLUSTERED
from pytest_mqchaos.search.failure import Failure


def broker(request: pytest.FixtureRequest, protocol: str, given: Any) -> Iterator[ChaosBroker]:
    """The session's broker, started and stopped."""
    config = request.config
    if given is not None:
        raise UsageError(
            f"the fixture mqchaos_broker gave {given!r}: brokers of your own come with a later "
            "version; use --mqchaos-broker=embedded or process"
        )
    kind = settings.kind_of(config)
    reason = lacking(protocol, kind)
    if reason is not None:
        pytest.skip(f"{NO_BROKER}{kind}: {reason}")
    own = settings.config_of(config)
    with ChaosBroker(protocol, kind, config=own, arranged=examples.arranged) as made:
        yield made


def chaos(request: pytest.FixtureRequest, host_name: str, chosen: Chosen | None) -> Iterator[Chaos]:
    """Give the test its Chaos, judged at the end of its call phase (see `ending`)."""
    host: ChaosBroker = request.getfixturevalue(host_name)
    item = request.node
    said = words(item.iter_markers("mqchaos"))
    chosen = _heard(item) if chosen is None else chosen
    may_skip = bool(said.get("may_skip"))
    nodes = _nodes(request, host, said.get("nodes"), chosen)
    if chosen is not None:
        _require(host, chosen, nodes, may_skip=may_skip)
    made = host.chaos(
        _plan(request, chosen), nodes=nodes, id=said.get("id"), key=said.get("key"),
        may_skip=may_skip, own_assertions=bool(said.get("own_assertions")),
        telling=Telling(
            nodeid=replayable(item, replay.near(item)),
            profile=chosen.name if chosen else "",
            directory=settings.directory_of(item),
        ),
    )  # fmt: skip
    try:
        made.start()
        item.stash[RUNNING] = made
        yield made
    finally:
        try:
            made.finish(body_failed=True)  # nothing to do unless the call phase never came
        finally:
            made.close()


def _heard(item: pytest.Item) -> Chosen | None:
    """The run of a test that was collected without one, because nothing among its arguments showed
    that it would ask for a chaos. Profiles would silently be left out: refused."""
    plan = settings.plan_of(item.config)
    if plan is not None:
        return Chosen(name=PLAN, plan=plan)
    marks = list(item.iter_markers("mqchaos"))
    named = [name for mark in marks for name in mark.args]
    asked = settings.profiles_of(item.config) or named
    if not (marks and asked):
        return None
    raise UsageError(
        f"the mark of this test asks for {', '.join(map(str, asked))}, but it would run without: "
        "pytest makes a run for each profile only where the chaos fixture stands among the "
        "arguments of the test or of its fixtures. It does not for request.getfixturevalue(...) "
        "and in a unittest.TestCase: there write a plain test, or chaos.arm(...) the rules"
    )


def _nodes(
    request: pytest.FixtureRequest, host: ChaosBroker, said: int | None, chosen: Chosen | None
) -> int:
    """Nodes of this run: the command line's, else the mark's, else those of the settings; a profile
    that needs several has 3 where one was said, or nothing."""
    given = settings.nodes_of(request.config) or said or host.config.nodes
    kept: Failure | None = request.node.stash.get(REPLAYED, None)
    if kept is not None:
        return kept.nodes
    return SEVERAL if given == 1 and chosen is not None and CLUSTERED in chosen.needs else given


def _require(host: ChaosBroker, chosen: Chosen, nodes: int, *, may_skip: bool) -> None:
    """Refuse (or skip) a profile that this broker cannot carry out."""
    able = {*host.abilities, *([CLUSTERED] if nodes <= host.most_nodes else [])}
    lacks = [need for need in chosen.needs if need not in able]
    if not lacks:
        return
    few = lacks == [CLUSTERED]
    what = "a cluster of several nodes" if few else f"a broker that is {' and '.join(lacks)}"
    use = f"--mqchaos-nodes={SEVERAL}" if few else "--mqchaos-broker=embedded"
    text = f"NOT APPLICABLE: {chosen.name} needs {what}; the {host.kind} broker is not: use {use}"
    if may_skip:
        pytest.skip(text)
    raise UsageError(f"{text}, or say may_skip=True in the mark")


def _plan(request: pytest.FixtureRequest, chosen: Chosen | None) -> Plan:
    """The plan of this run: a stored one as it failed, else the chosen one with the test's seed."""
    kept: Failure | None = request.node.stash.get(REPLAYED, None)
    if kept is not None:
        return kept.plan
    plan = chosen.plan if chosen else Plan()
    if plan.seed or not plan.rules:
        return plan
    return Plan(*plan.rules, seed=settings.seed_of(request.config, request.node.nodeid))


def replayable(item: pytest.Item, nodeid: str) -> str:
    """The node id under which --mqchaos-plan runs this test: its profile's name gives way to
    `plan`, and is left out where it is the only parameter."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    plain, _, rest = nodeid.partition("[")
    if "mqchaos_plan" not in params:
        return nodeid  # an unmarked test: no plan to bring
    name, ids = params["mqchaos_plan"].name, rest.removesuffix("]")
    if ids == name:
        return plain
    for found in re.finditer(rf"(?<![^-]){re.escape(name)}(?![^-])", ids):
        return f"{plain}[{ids[: found.start()]}{PLAN}{ids[found.end() :]}]"
    return nodeid
