"""`same_outcome` over random pairs of runs, beside brute force; planted differences are found."""

from collections import Counter
from itertools import chain, combinations

from hypothesis import event, given
from hypothesis import strategies as st

from pytest_mqchaos.checkers.registry import checker
from tests.checkers.test_oracle import NAMES, played, scripts, waits
from tests.checkers.timeline import run

finals = st.dictionaries(st.sampled_from([*NAMES, "x"]), st.integers(1, 2))
places = st.tuples(st.sampled_from(NAMES), st.sampled_from(["lose", "repeat", "alter"]))


def fault_free(counts):
    """A finished run in which every message was published, and done as often as said."""
    line = run(rules=())
    for name in NAMES:
        line.publish(name, key=b"k" if name < "d" else b"l").deliver(name)
        for _ in range(counts.get(name, 0)):
            line.effect(name)
    for _ in range(counts.get("x", 0)):
        line.effect("x")
    return line.ack().history()


def ends(history):
    """Every final state that a run may have come to: some of what a crashed worker recorded."""
    sure = [e.id for e in history.effects if not e.posthumous]
    late = [e.id for e in history.effects if e.posthumous]
    some = chain.from_iterable(combinations(late, n) for n in range(len(late) + 1))
    return [Counter(sure) + Counter(more) for more in some]


def oracle(history, base):
    (wanted,) = ends(base)
    found = ends(history)
    if not any(wanted) and not history.effects:
        return "unknown"  # nothing to judge
    worst = "passed"
    for name in [*NAMES, "x"]:
        counts = {end[name] for end in found}
        if counts == {wanted[name]}:
            continue
        stored = {row.id for row in history.stored}
        shown = stored | {row.id for row in history.attempts}
        open_ = any(waits(history, one) for one in ({name} if name in shown else stored))
        if wanted[name] in counts or (max(counts) < wanted[name] and open_):
            worst = "unknown" if worst == "passed" else worst
        else:
            worst = "failed"
    return worst


@given(scripts, finals)
def test_it_agrees_with_brute_force(script, counts):
    history, base = played(script), fault_free(counts)
    verdict = checker("same_outcome", baseline=base)(history)
    event(verdict.status)
    assert verdict.status == oracle(history, base), verdict


def finished(values, changes=()):
    """Each name done with its value, but for the changes."""
    line, kind = run(), dict(changes)
    for name, value in values.items():
        line.publish(name).deliver(name)
        done = {None: [value], "lose": [], "repeat": [value, value], "alter": [value + 1]}
        for one in done[kind.get(name)]:
            line.effect(name, value=one)
        line.ack()
    return line.history()


@given(st.fixed_dictionaries({name: st.integers() for name in NAMES}), st.lists(places))
def test_exactly_the_planted_differences_are_found(values, changes):
    verdict = checker("same_outcome", baseline=finished(values))(finished(values, changes))
    words = {"lose": "missing", "repeat": "repeated", "alter": "altered"}
    found = {(finding.id, finding.what) for finding in verdict.findings}
    assert found == {(name, words[kind]) for name, kind in dict(changes).items()}
    assert verdict.status == ("failed" if changes else "passed")
