"""A page as a program: its marked blocks are done in order, in an empty directory.

    <!-- file: NAME -->             the block below is written to NAME
    <!-- add to: NAME -->           the block below is added to the end of NAME
    <!-- replace: NAME -->          ... takes the place of what begins alike in NAME (a def, a line)
    <!-- given: NAME of PAGE -->    the first block that PAGE writes to NAME is written here, unseen
    <!-- run: OUTCOME -->           the `$ ` lines below are run; OUTCOME is in what they print
    <!-- run live: OUTCOME -->      the same where real brokers may be started
    <!-- output -->                 every line below was printed by the run before (… is anything)
    <!-- not run: WHY -->           the block below is only to be read
    <!-- run by: TEST -->           the block below is run by that file

It knows Markdown comments and fences; it must never know what a page is about.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from pytest_mqchaos.guest.proof import ENVIRONMENT as REPLAYING

ROOT = Path(__file__).parents[2]
MARK = re.compile(
    r"<!-- (file|add to|replace|given|run live|run|output|not run|run by)(?:: (.*?))? -->"
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MQCHAOS = "from pytest_mqchaos.cli import main; raise SystemExit(main())"
PROGRAMS = {
    "pytest": [sys.executable, "-m", "pytest"],
    "mqchaos": [
        sys.executable,
        "-c",
        "from pytest_mqchaos.cli import main; raise SystemExit(main())",
    ],
    "python": [sys.executable],
}
LIMIT = 120  # seconds that one command may take before the page is called broken


class Step(NamedTuple):
    """One marked block: what is to be done with it, the mark's argument, the block's text."""

    do: str
    what: str
    text: str


def steps(page):
    """The marked blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for mark in MARK.finditer(text):
        fence = None
        if mark[1] != "given":
            fence = FENCE.match(text, mark.end() + 1)
            assert fence, f"{page}: no block right below {mark[0]}"
        found.append(Step(mark[1], mark[2] or "", fence[2] if fence else ""))
    return found


def unmarked(page):
    """First lines of the code blocks that nobody runs and that do not say why."""
    text = (ROOT / page).read_text(encoding="utf-8")
    marked = {mark.end() + 1 for mark in MARK.finditer(text)}
    return [
        fence[2].partition("\n")[0] for fence in FENCE.finditer(text)
        if fence.start() not in marked
    ]  # fmt: skip


class Reader:
    """Somebody who does what a page says, in `directory`. `live`: real brokers may be started.
    `replays`: let failures replay themselves, which takes longer than all the rest."""

    def __init__(self, directory, *, live=False, replays=False):
        self.directory = directory
        self.live = live
        self.replays = replays
        self.printed = ""
        self.ran = True

    def follow(self, page):
        for step in steps(page):
            getattr(self, step.do.replace(" ", "_"))(step)

    def file(self, step):
        path = self.directory / step.what
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text, encoding="utf-8")

    def add_to(self, step):
        with (self.directory / step.what).open("a", encoding="utf-8") as file:
            file.write("\n\n" + step.text)

    def replace(self, step):
        path = self.directory / step.what
        begins = step.text.partition("\n")[0].partition("(")[0]
        body = r"(?:[ \t].*\n|\n(?=[ \t]))*" if "def " in begins else ""
        text = path.read_text(encoding="utf-8")
        old = re.search(rf"^{re.escape(begins)}(?:\(.*)?\n{body}", text, re.MULTILINE)
        assert old, f"nothing in {step.what} begins with {begins}"
        path.write_text(text[: old.start()] + step.text + text[old.end() :], encoding="utf-8")

    def given(self, step):
        name, _, page = step.what.partition(" of ")
        first = next(one for one in steps(page) if one.do == "file" and one.what == name)
        self.file(first)

    def not_run(self, step):
        assert step.what, "say why a block is not run"

    def run_by(self, step):
        assert (ROOT / step.what).is_file(), f"{step.what} does not exist"

    def run_live(self, step):
        self.ran = self.live
        if self.live:
            self.run(step)

    def run(self, step):
        self.ran = True
        lines = [line[2:] for line in step.text.splitlines() if line.startswith("$ ")]
        assert lines, f"no `$ ` line in the block of run: {step.what}"
        self.printed = "".join(map(self.printed_by, lines))
        assert step.what in self.printed, f"{step.what!r} is not in:\n{self.printed}"

    def printed_by(self, line):
        program, *arguments = shlex.split(line)
        # A page changes a file within the second that tells its compiled twin from a stale one.
        shutil.rmtree(self.directory / "__pycache__", ignore_errors=True)
        environment = {
            key: value for key, value in os.environ.items() if key not in ("CI", REPLAYING)
        }
        # What somebody has who only did what the page says: none of our own development plugins.
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        environment["PYTEST_ADDOPTS"] = "-p pytest_mqchaos.plugin -p no:cacheprovider"
        if not self.replays:
            environment[REPLAYING] = "1"
        done = subprocess.run(
            PROGRAMS[program] + arguments, cwd=self.directory, env=environment, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT,
        )  # fmt: skip
        return done.stdout

    def output(self, step):
        if self.ran:
            absent = missing(step.text, self.printed)
            assert not absent, "\n".join(["not printed:", *absent, "but:", self.printed])


def missing(shown, printed):
    """Lines of `shown` that were not printed, or not in this order; `…` stands for anything. The
    rows of a timeline may stand in any order: what two threads do at once has none."""
    every = rest = [plain(line) for line in printed.splitlines()]
    absent = []
    for line in filter(str.strip, shown.splitlines()):
        wanted = re.compile(re.escape(plain(line)).replace("…", ".*"))
        row = re.search("[│┿■└]", line)
        place = next(
            (n for n, one in enumerate(every if row else rest) if wanted.fullmatch(one)), None
        )
        if place is None:
            absent.append(line)
        elif not row:
            rest = rest[place + 1 :]
    return absent


_VARIES = (
    (r"[+-]?\d+\.\d ms", "# ms"),
    (r"\d+\.\d+s\b", "# s"),
    (r"delivered \d+ ·", "delivered # ·"),  # a fetch brings what is there
    (r"\b\d+\.\d+\.\d+(\.dev\d+)?", "#.#.#"),
    (r"(aiokafka-#\.#\.#)-[0-9a-f-]{36}", r"\1"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:#"),
    (r"mq1\.[\w.-]+", "mq1.#"),
    (r"([=_─-])\1{2,}", r"\1"),
    (r"\s+", " "),
)


def plain(line):
    """A printed line without what differs from run to run."""
    for varies, name in _VARIES:
        line = re.sub(varies, name, line)
    return line.strip()
