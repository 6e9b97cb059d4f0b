"""What the script of a thousand kills takes for Python's own, and what for ours."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from orphans import truth
from orphans.kills import KINDS
from orphans.run import pythons

CTRL_C = KINDS["SIGINT to pytest"]
IGNORED = """.s                                                [100%]
1 passed, 1 skipped in 1.30s
{first}
Traceback (most recent call last):
  File "{file}", line 105, in remove
    def remove(wr, selfref=ref(self)):

KeyboardInterrupt
"""
OURS = "Exception ignored in atexit callback: <bound method _Ours.close of <pytest_mqchaos.leash>>"
THEIRS = "Exception ignored in: <function WeakValueDictionary.remove at 0x7f5bd4b7f7e0>"


@pytest.mark.parametrize(
    ("first", "file", "told"),
    [
        (THEIRS, "/lib/python3.11/weakref.py", False),
        (OURS, "/lib/python3.11/subprocess.py", True),
        (THEIRS, "/anywhere/pytest_mqchaos/leash/hold.py", True),
    ],
)
def test_an_ignored_interrupt_is_a_finding_only_with_code_of_ours_in_it(first, file, told):
    said = IGNORED.format(first=first, file=file)
    found = truth.untruths(CTRL_C, "exit", "plain", 0, said)
    assert [sentence.startswith("a traceback of ours") for sentence in found] == [True] * told
    assert truth.untruths(CTRL_C, "exit", "plain", 0, said + said.replace("Keyboard", "Other"))


EXEC = """
import os, signal
text = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
exec({what})
def test(): pass
"""


@pytest.mark.parametrize(
    ("what", "status", "known"),
    [("text", -signal.SIGINT, True), ("compile(text, 'a.py', 'exec')", 2, False)],
)
def test_python_itself_dies_by_ctrl_c_in_a_text_that_is_executed(tmp_path, what, status, known):
    """As a dataclass is made of one. Shown without us, so it is an end like any other."""
    (tmp_path / "test_it.py").write_text(EXEC.format(what=what))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--disable-plugin-autoload", "-pno:cacheprovider"],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status
    assert not truth.untruths(CTRL_C, "collection", "plain", status, done.stdout)
    undone = truth.untruths(CTRL_C, "collection", "plain", -signal.SIGINT, done.stdout)
    assert bool(undone) is not known


def test_what_python_tries_a_directory_with_is_known_by_what_is_in_it(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile._os, "unlink", lambda name: written.append(Path(name)))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert tempfile.gettempdir() == str(tmp_path)
    assert pythons(*written)
    written[0].write_text("of somebody")
    assert not pythons(written[0])
    assert not pythons(tmp_path / "aktwfiim")
    (tmp_path / "mqchaos-0efdfe3fdda7").touch()
    assert not pythons(tmp_path / "mqchaos-0efdfe3fdda7")
