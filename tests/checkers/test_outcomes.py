"""`same_outcome` over random pairs of runs, beside brute force; planted differences are found."""

from collections import Counter
from itertools import chain, combinations, product

from hypothesis import event, given
from hypothesis import strategies as st

from pytest_mqchaos.checkers.registry import checker
from pytest_mqchaos.history.rows import Effect
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


# ---------------------------------------------------------------- rows of every kind, open ends

kinds = st.tuples(st.sampled_from(["a", "n"]), st.sampled_from([None, "p"]),
                  st.sampled_from([None, "s"]), st.integers(1, 2))  # fmt: skip
fates = st.sampled_from(["stays", "stays", "stays", "gone", "passing", "posthumous"])
ends_of_runs = st.fixed_dictionaries({
    "rows": st.lists(st.tuples(kinds, fates), max_size=3),
    "over": st.sampled_from([True, True, False]),
})  # fmt: skip


def ended(rows, over, *, gap=False):
    """One message "a" that was handed out; "n" is an id that no message has."""
    line = run(rules=()).publish("a").deliver("a")
    made = tuple(
        Effect(n, 9, 10 if fate == "passing" else 9, name, part, by, None, value, None,
               fate == "posthumous", fate != "passing", fate == "gone")
        for n, ((name, part, by, value), fate) in enumerate(rows)
    )  # fmt: skip
    line.but(effects=made, gaps=("a link was blind",) if gap else ())
    return (line.ack() if over else line).history()


def finals(rows, over, known=()):
    """What may be there at the end: what passes may go as long as the run is not over (unless it
    is `known`, hence a repeat), what a crashed worker wrote may not count."""
    fixed, loose = Counter(), []
    for kind, fate in rows:
        if fate == "posthumous" or (fate == "passing" and not over and kind not in known):
            loose.append(kind)
        elif fate != "gone":
            fixed[kind] += 1
    some = chain.from_iterable(combinations(loose, n) for n in range(len(loose) + 1))
    return [fixed + Counter(more) for more in some]


def judged(here, base, over, base_over, sees):
    """One id. `over`, `base_over`: nothing can come any more; `sees`: nor was it overlooked."""
    theirs = [kind for kind, fate in base if fate != "gone"]
    if all(mine == Counter(theirs) for mine in finals(here, over=True)):
        return "passed"
    sure = over and sees
    for mine, other in product(finals(here, sure, theirs), finals(base, base_over)):
        if not (other - mine and sure) and not (mine - other and base_over):
            return "unknown"
    return "failed"


@given(ends_of_runs, ends_of_runs, st.booleans())
def test_rows_of_every_kind_agree_with_brute_force(here, base, gap):
    known = [row for row in base["rows"] if row[1] != "posthumous"]
    verdict = checker("same_outcome", baseline=ended(known, base["over"]))(
        ended(here["rows"], here["over"], gap=gap)
    )
    found = {"unknown"} if gap else {"passed"}
    for name in "an":
        mine, theirs = (
            [row for row in rows if row[0][0] == name] for rows in (here["rows"], known)
        )
        seen = not gap or (name == "a" and not mine)  # it was handed out, and acked without any
        found.add(judged(mine, theirs, here["over"], base["over"], seen))
    event(verdict.status)
    assert verdict.status == next(w for w in ("failed", "unknown", "passed") if w in found), verdict
