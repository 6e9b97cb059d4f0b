import functools
import pathlib

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.workloads.target import asks_for_stop, is_async, understand
from tests.workloads import targets


async def consume():
    raise AssertionError("never run")


class Service:
    async def __call__(self):
        raise AssertionError("never run")

    def run(self, stop):
        raise AssertionError("never run")


@pytest.mark.parametrize(
    ("target", "process", "kind"),
    [
        (consume, False, "coroutine"),
        (functools.partial(consume), False, "coroutine"),
        (Service(), False, "coroutine"),
        (Service().run, False, "thread"),
        (print, False, "thread"),
        (["python", pathlib.Path("service.py")], False, "command"),
        (("true",), True, "command"),
        (targets.fail, True, "child"),
        (targets.coroutine_until_cancelled, True, "child"),
    ],
)
def test_kinds(target, process, kind):
    assert understand(target, process=process).kind == kind


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("python service.py", "shlex"),
        ([], "none of them"),
        (None, "none of them"),
        (["python", 5], "it has 5 in it"),
    ],
)
def test_what_is_none_of_them(target, says):
    with pytest.raises(UsageError, match=says):
        understand(target)


def test_a_coroutine_that_was_called_already():
    with pytest.raises(UsageError, match="do not call it"):
        understand(consume())


@pytest.mark.parametrize(
    "target",
    [lambda: None, functools.partial(targets.fail, "x"), Service()],
    ids=["lambda", "partial", "object"],
)
def test_a_child_process_must_be_able_to_import_it(target):
    with pytest.raises(UsageError, match="that a child process can import"):
        understand(target, process=True)


def test_main_is_not_importable_by_a_child(monkeypatch):
    monkeypatch.setattr(targets.fail, "__module__", "__main__")
    with pytest.raises(UsageError, match="__main__"):
        understand(targets.fail, process=True)


def test_setup_of_a_child_must_be_importable_and_a_command_has_none():
    with pytest.raises(UsageError, match="setup="):
        understand(targets.fail, process=True, setup=lambda: None)
    with pytest.raises(UsageError, match="let the command do it itself"):
        understand(["true"], setup=targets.make_pool)


def test_on_crash_is_refused_where_nothing_is_left_open():
    with pytest.raises(UsageError, match="a killed process leaves nothing open"):
        understand(["true"], on_crash=print)


def test_who_asks_for_stop():
    def positional(stop, /):
        raise AssertionError

    def keyword(*, stop):
        raise AssertionError

    def swallows(**stop):
        raise AssertionError

    assert asks_for_stop(keyword)
    assert asks_for_stop(Service().run)
    assert not asks_for_stop(positional)
    assert not asks_for_stop(swallows)
    assert not asks_for_stop(dict.update)


def test_is_async_is_about_calling():
    assert is_async(consume)
    assert not is_async(Service)
    assert not is_async(print)
