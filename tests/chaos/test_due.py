"""What comes later: that it is waited for, also where it comes sooner than anybody thought."""

import threading

import pytest

from pytest_mqchaos.chaos.due import Due
from pytest_mqchaos.chaos.pace import RealTime, done
from pytest_mqchaos.errors import BrokerError, Impossible, WaitTimeout


class AtOnce(RealTime):
    """Its timers are quicker than whoever starts them."""

    def later(self, seconds, act):
        act()
        return super().later(3600, act)


def test_an_end_that_came_before_its_timer_was_known_is_not_waited_for():
    came, due = [], Due(pytest.fail, AtOnce())
    due.later(0.0, lambda: came.append(1), "the end")
    done(due.run_out())
    assert came == [1]
    due.cancel()


def test_what_never_ends_is_told(monkeypatch):
    monkeypatch.setattr("pytest_mqchaos.chaos.due.ENDING", 0.05)
    due, held = Due(pytest.fail, RealTime()), threading.Event()
    due.later(0.0, lambda: held.wait(60), "the end")
    with pytest.raises(WaitTimeout, match="the end of a broker fault"):
        done(due.run_out())
    held.set()
    due.timers[0].join(60)
    done(due.run_out())


def test_what_fails_is_trouble_and_what_is_impossible_by_then_is_none():
    troubles = []
    due = Due(troubles.append, AtOnce())

    def fail(error):
        raise error

    due.later(0.0, lambda: fail(BrokerError("it did not come back")), "restart")
    due.later(0.0, lambda: fail(Impossible("it is up")), "restart")
    due.later(None, lambda: fail(BrokerError("never")), "restart")
    done(due.run_out())
    assert troubles == ["restart: it did not come back"]
    due.cancel()
