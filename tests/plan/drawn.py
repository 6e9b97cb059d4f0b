"""Hypothesis strategies for selectors, rules and plans of any shape, legal or not."""

from hypothesis import strategies as st

from pytest_mqchaos.faults.registry import build
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.nth import every
from pytest_mqchaos.plan.rules import Plan, Rule
from pytest_mqchaos.plan.when import DESTINATIONS, where
from pytest_mqchaos.plan.where import Where

texts = st.text(min_size=1, max_size=6)
counts = st.integers(1, 9)
ranges = st.builds(
    lambda start, length, step: range(start, start + length, step), counts, counts, counts
)
nths = st.none() | counts | ranges | counts.map(every)
attempts = counts | ranges
keys = texts | st.binary(max_size=6)

tests = st.one_of(
    st.sampled_from(DESTINATIONS).flatmap(lambda word: texts.map(getattr(where, word))),
    st.builds(where.key, keys),
    st.builds(where.id, texts),
    st.builds(where.partition, st.integers(0, 99)),
    st.builds(where.client, texts),
    st.builds(where.group, texts),
    st.builds(where.header, texts, st.none() | keys),
    st.builds(where.value_contains, keys),
)
predicates = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        inner.map(lambda a: ~a),
    ),
    max_leaves=6,
)


@st.composite
def places(draw):
    point = draw(st.sampled_from(Point))
    given = {
        "key": draw(st.none() | keys),
        "id": draw(st.none() | texts),
        "partition": draw(st.none() | st.integers(0, 99)),
        "client": draw(st.none() | texts),
        "group": draw(st.none() | texts),
        "api": draw(texts if point is Point.CONTROL else st.none() | texts),
        "attempt": draw(attempts),
        "nth": draw(nths),
        "when": draw(st.none() | predicates),
    }
    if draw(st.booleans()):
        given |= {"destination": draw(texts), "word": draw(st.sampled_from(DESTINATIONS))}
    return Where(point=point, **given)


seconds = st.floats(0.001, 1e6) | st.integers(1, 1000)
targets = st.sampled_from(("leader", "follower", "coordinator", "all")) | st.integers(0, 9)
faults = st.one_of(
    st.sampled_from(("drop", "duplicate", "redeliver", "rebalance", "expire")).map(
        lambda v: build(v, {})
    ),
    seconds.map(lambda s: build("delay", {"seconds": s})),
    counts.map(lambda w: build("reorder", {"window": w})),
    (st.none() | texts | counts).map(lambda e: build("refuse", {"error": e})),
    st.booleans().map(lambda r: build("sever", {"reset": r})),
    (st.none() | seconds).map(lambda s: build("hang", {"for_": s})),
    st.builds(
        lambda when, scope: build("crash_worker", {"when": when, "scope": scope}),
        st.sampled_from(("before", "after")),
        st.sampled_from((None, "child")),
    ),
    st.builds(
        lambda t, s: build("kill_broker", {"target": t, "restart_after": s}),
        targets,
        st.none() | seconds,
    ),
    st.builds(
        lambda t, s: build("pause_broker", {"target": t, "for_": s}), targets, st.none() | seconds
    ),
    targets.map(lambda t: build("restart_broker", {"target": t})),
    st.builds(
        lambda t, s: build("power_loss", {"target": t, "restart_after": s}),
        targets,
        st.none() | seconds,
    ),
    st.builds(
        lambda t, s: build("partition", {"target": t, "for_": s}), targets, st.none() | seconds
    ),
    (st.none() | st.integers(0, 9)).map(lambda n: build("move_leader", {"to": n})),
    (st.none() | seconds).map(
        lambda s: build("kill_broker", {"unreplicated": True, "restart_after": s})
    ),
)
rules = st.builds(Rule, where=places(), fault=faults, optional=st.booleans(), forge=st.booleans())
plans = st.builds(
    lambda chosen, seed: Plan(*chosen, seed=seed),
    st.lists(rules, max_size=4),
    st.integers(0, 2**64),
)
