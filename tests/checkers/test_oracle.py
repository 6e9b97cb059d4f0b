"""Random timelines, judged by the checkers and by brute force straight from the definitions."""

from itertools import permutations

from hypothesis import event, given
from hypothesis import strategies as st

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.ordered import ordered
from tests.checkers.timeline import run

NAMES = "abcd"
names = st.sampled_from(NAMES)

publishes = st.builds(
    lambda name, p, link, how, frame: (
        "publish", name,
        {"p": p, "link": link, "same_frame": frame, **how, "key": b"k" if name < "d" else b"l"},
    ),
    names, st.integers(0, 1), st.integers(1, 2),
    st.sampled_from([
        {}, {}, {"outcome": "unknown"}, {"outcome": "unknown", "stored": False},
        {"outcome": "refused"}, {"acks": 0, "outcome": "unknown"}, {"stored": False},
    ]),
    st.booleans(),
)  # fmt: skip
delivers = st.builds(lambda name: ("deliver", name, {}), names)
acks = st.builds(
    lambda offset, p, fate: ("ack", offset, {"p": p, **fate}),
    st.integers(0, 5), st.integers(0, 1),
    st.sampled_from([{}, {}, {"reached": False}, {"outcome": "refused"}]),
)  # fmt: skip
asks = st.builds(
    lambda offset, p: ("asks_from", offset, {"p": p}), st.integers(0, 5), st.integers(0, 1)
)
effects = st.builds(
    lambda name, dead: ("effect", name, {"posthumous": dead == 0}), names, st.integers(0, 6)
)
scripts = st.lists(st.one_of(publishes, delivers, acks, asks, effects), max_size=16)


def played(script):
    line = run()
    for what, subject, options in script:
        if what == "deliver" and not any(s.id == subject for s in line.log):
            continue
        if options.get("same_frame") and (
            not line.attempts or line.attempts[-1].outcome != "unknown"
            or line.attempts[-1].link != options["link"] or line.attempts[-1].seq != line.now
        ):  # fmt: skip
            getattr(line, what)(subject, **{**options, "same_frame": False})
        else:
            getattr(line, what)(subject, **options)
        if what == "deliver":  # nobody is handed what he did not ask for
            line.asks_from(line.deliveries[-1].offset, p=line.deliveries[-1].partition)
    return line.history()


def real(history, name):
    return [e for e in history.effects if e.id == name and not e.posthumous]


def owed(history):
    return {a.id for a in history.attempts if a.outcome == "confirmed" or a.acks == 0}


def waits(history, name):
    for row in history.stored:
        if row.id != name:
            continue
        committed = [p.committed for p in history.places if p.partition == row.partition]
        if row.offset >= max(committed, default=-1) and not behind(history, row, committed):
            return True
    return False


def behind(history, row, committed):
    """Whether a group without a position began behind the last copy of this message."""
    here = [d.offset for d in history.deliveries if d.partition == row.partition and d.reached]
    last = max(s.offset for s in history.stored if (s.id, s.partition) == (row.id, row.partition))
    asked = history.asked.get(("worker-1#1", "g", row.topic, row.partition), -1)
    return committed == [-1] and ((bool(here) and min(here) > last) or asked > last)


def foreign(history):
    """Whether effects have ids of no message: then none proves anything."""
    return history.effects and not (
        {e.id for e in history.effects} & {a.id for a in history.attempts}
    )


def oracle_lossless(history):
    missing = [name for name in owed(history) if not real(history, name)]
    unsure = [
        name for name in missing
        if any(e.id == name for e in history.effects) or waits(history, name)
    ]  # fmt: skip
    if len(unsure) < len(missing):
        return "unknown" if foreign(history) else "failed"
    return "unknown" if unsure or not owed(history) else "passed"


def oracle_idempotent(history):
    if history.effects and history.attempts and foreign(history):
        return "unknown"
    if any(len(real(history, name)) > 1 for name in NAMES):
        return "failed"
    if any(sum(e.id == name for e in history.effects) > 1 for name in NAMES):
        return "unknown"
    return "passed" if history.effects else "unknown"


def published_before(history, one, other):
    firsts = [next(a for a in history.attempts if a.id == name) for name in (one, other)]
    a, b = firsts
    if any(x.outcome == "confirmed" and x.end_seq < b.seq for x in history.attempts if x.id == one):
        return True
    if a.link != b.link:
        return False
    if a.seq != b.seq:
        return a.seq < b.seq
    rows = list(history.attempts)
    return a.partition == b.partition and rows.index(a) < rows.index(b)


def inverted(history, names):
    """Pairs whose first effects run against the order of publishing."""
    known = [n for n in dict.fromkeys(names) if any(a.id == n for a in history.attempts)]
    return {
        (one, other)
        for one, other in permutations(known, 2)
        if (one < "d") == (other < "d")
        and published_before(history, one, other)
        and known.index(other) < known.index(one)
    }


def oracle_ordered(history):
    known = {a.id for a in history.attempts}
    every = [e.id for e in history.effects]
    alive = [e.id for e in history.effects if not e.posthumous]
    dead = {e.id for e in history.effects if e.posthumous}
    pairs = inverted(history, every) | inverted(history, alive)
    if any(not dead & set(pair) for pair in pairs):
        return "failed"
    several = len({n for n in every if n in known and n < "d"}) > 1
    return "passed" if several and not pairs else "unknown"


def oracle_acked(history):
    found = set()
    for row in history.deliveries:
        later = [
            a
            for a in history.acks
            if a.seq > row.seq and a.partition == row.partition and a.offset > row.offset
        ]
        if row.reached and later:
            effects = [e for e in history.effects if e.id == row.id and e.t_to <= later[0].t]
            mine = [e for e in history.effects if e.id == row.id]
            alive = any(not e.posthumous for e in effects)
            unsure = effects or (not mine and foreign(history))
            found.add("passed" if alive else "unknown" if unsure else "failed")
            if not alive and not effects:
                assert not mine or min(e.t_from for e in mine) > later[0].t
    handed = {row.id for row in history.deliveries if row.reached}
    if {e.id for e in history.effects} & {s.id for s in history.stored} - handed:
        found.add("unknown")  # done by somebody who was handed it past the links
    return next((s for s in ("failed", "unknown", "passed") if s in found), "unknown")


@given(scripts)
def test_the_checkers_agree_with_brute_force(script):
    history = played(script)
    for checker, oracle in (
        (lossless(), oracle_lossless),
        (idempotent(), oracle_idempotent),
        (ordered(), oracle_ordered),
        (acked_after_effect(), oracle_acked),
    ):
        verdict = checker(history)
        event(f"{verdict.question} {verdict.status}")
        assert verdict.status == oracle(history), verdict


@given(scripts)
def test_no_question_raises_and_none_passes_under_a_gap(script):
    line = played(script)
    for checker in (lossless(), idempotent(), ordered(), lossless(keep="latest")):
        assert checker(line).sentence
    blind = type(line)(**{
        name: getattr(line, name) for name in line.__dataclass_fields__ if name != "derived"
    } | {"gaps": ("link 1 is blind",)})  # fmt: skip
    for checker in (lossless(), idempotent(), ordered()):
        assert checker(blind).status != "passed"
