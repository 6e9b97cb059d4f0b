"""A recorded conversation that ends at every one of its bytes, by FIN or by RST, from either side:
the other side hears a prefix of what was said, its connection ends too, and nothing is left."""

import contextlib
import itertools

import psutil
import pytest

from pytest_mqchaos.plan.on import on
from tests.dataplane.conversations import BROKER, CLIENT, frames
from tests.dataplane.peers import until

QUICK = 211  # bytes between two cuts in the default run
SIDES = {"client": CLIENT, "broker": BROKER}
NEVER = (on.publish(id="no such one").drop(), on.deliver(id="no such one").sever())
# Every one of these fires in a conversation that gets so far.
FIRING = {
    "delayed confirm": on.confirm(nth=1).delay(0.001),
    "lost publish": on.publish(nth=1).drop(),
    "lost confirm": on.confirm(nth=1).drop(),
    "severed delivery": on.deliver(nth=1).sever(),
    "severed join": on.control(api="FindCoordinator").sever(),
}
MODES = {"plain": (), "recorded": (), "armed": NEVER}


def begin(plane, history, rules, *, record=True):
    path = str(history) if record else None
    plane.request("begin", history=path, settings={"record": record})
    armed = [{"index": n, "rule": rule.to_json()} for n, rule in enumerate(rules)]
    plane.request("arm", rules=armed)


def links(plane):
    return plane.request("status")["links"]


def open_files(plane):
    return psutil.Process(plane.pid).num_fds()


@contextlib.contextmanager
def nothing_left(plane):
    """Afterwards there are no links, firings or descriptors more than before, and no trouble."""
    before = open_files(plane)
    yield
    until(lambda: not links(plane), "every link to end")
    status = plane.request("status")
    assert (status["held"], status["dark"], status["firing"]) == (0, 0, [])
    # A socket that was cut may linger for what its peer still has to say.
    until(lambda: open_files(plane) == before, "every descriptor to be given back")
    assert plane.troubles == []


def cuts(stage, who, step, offset):
    size = len(stage.said(who))
    return itertools.chain(range(offset % step, size, step), [size])


def whole_frames(said, after):
    """As much of [0, after) as is whole frames."""
    ends = itertools.accumulate(len(frame) for frame in frames(said))
    return said[: max((end for end in ends if end <= after), default=0)]


def everywhere(stage, side, how, mode, tmp_path, *, step=1, offset=0):
    who, plane = SIDES[side], stage.plane
    said = stage.said(who)
    begin(plane, tmp_path / "history", MODES[mode], record=mode != "plain")
    with nothing_left(plane):
        for after in cuts(stage, who, step, offset):
            heard = stage.cut(who, after, reset=how == "RST")
            assert said.startswith(heard), (after, heard)
            assert len(heard) <= after
            if how == "FIN":
                # Only what waits for its end, because somebody decides about it, may be missing.
                assert len(heard) >= len(whole_frames(said, after)), after
    plane.request("end")


def while_firing(stage, side, how, name, tmp_path, *, step=1, offset=0):
    """Each cut is a run of its own, because a rule fires once in a run; one request at a time,
    because some rules wait until what came before them is answered."""
    who, plane = SIDES[side], stage.plane
    said, stuck = stage.said(who), []
    begin(plane, tmp_path / "history", [])
    with nothing_left(plane):
        for after in cuts(stage, who, step, offset):
            begin(plane, tmp_path / "history", [FIRING[name]])

            def heal(after=after):
                stuck.append(after)
                plane.request("heal")

            heard = stage.cut(who, after, reset=how == "RST", together=1, stuck=heal)
            assert said.startswith(heard), (after, heard)
            until(lambda: not links(plane), "the link to end")
            plane.request("end")
            (tmp_path / "history").unlink()
    # A client that ends right behind its publish, to a broker that does not answer that: the rule
    # keeps the client's end back with all that comes behind the publish, until it is healed.
    assert len(stuck) <= ((name, side, how) == ("lost confirm", "client", "FIN")), stuck


combinations = pytest.mark.parametrize(
    ("side", "how"), [(side, how) for side in SIDES for how in ("FIN", "RST")]
)


@combinations
@pytest.mark.parametrize("mode", MODES)
def test_a_conversation_may_end_anywhere(stage, side, how, mode, tmp_path):
    everywhere(stage, side, how, mode, tmp_path, step=QUICK, offset=len(side + how + mode) * 31)


@pytest.mark.parametrize("name", FIRING)
def test_a_conversation_may_end_while_a_rule_is_at_work(stage, name, tmp_path):
    while_firing(stage, "client", "RST", name, tmp_path, step=2 * QUICK, offset=len(name) * 31)


@pytest.mark.wide
@combinations
@pytest.mark.parametrize("mode", MODES)
def test_a_conversation_may_end_at_every_byte(stage, side, how, mode, tmp_path):
    everywhere(stage, side, how, mode, tmp_path)


@pytest.mark.wide
@combinations
@pytest.mark.parametrize("name", FIRING)
def test_a_conversation_may_end_at_every_byte_while_a_rule_is_at_work(
    stage, side, how, name, tmp_path
):
    while_firing(stage, side, how, name, tmp_path)
