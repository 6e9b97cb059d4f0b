"""The reference pages name what there is, all of it and nothing else."""

import dataclasses
import importlib.util
import re
import struct
import tomllib

import pytest

from pytest_mqchaos import Chaos, cli, plugin
from pytest_mqchaos.chaos.asserting import Assertions
from pytest_mqchaos.chaos.config import Config, load
from pytest_mqchaos.chaos.running import WorkerHandle
from pytest_mqchaos.checkers.registry import CHECKERS
from pytest_mqchaos.guest.marks import WORDS
from pytest_mqchaos.plan.profiles import BUNDLES, PROFILES, own_profiles
from tests.docs.pages import ROOT, Reader, Step, steps

OPTIONS = "docs/reference/options-and-configuration.md"


def options():
    """Our options with their metavars, as pytest is told of them."""
    found = {}

    class Group:
        def addoption(self, name, **how):
            assert how["help"]
            found[name] = f"{name}={how['metavar']}" if "metavar" in how else name

    class Parser:
        def getgroup(self, name, text):
            return Group()

    plugin.pytest_addoption(Parser())
    return found


def page(name=OPTIONS):
    return (ROOT / name).read_text(encoding="utf-8")


def section(title):
    return page().split(f"## {title}")[1].split("\n## ")[0]


def first_cells(text):
    return re.findall(r"^\| `?([^`|]+?)`? \|", text.replace(r"\|", "¦"), re.MULTILINE)


def test_every_option_and_nothing_else():
    rows = [cell.replace("¦", "|") for cell in first_cells(section("pytest's command line"))]
    assert sorted(rows[1:]) == sorted(["---", *options().values()])
    everywhere = {
        option
        for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for option in re.findall(r"--mqchaos-[a-z]+", path.read_text(encoding="utf-8"))
    }
    assert everywhere <= set(options())


def test_every_argument_of_the_mark_and_nothing_else():
    assert set(first_cells(section("The mark"))) == {"argument", "---", "profiles", *WORDS}
    for word in WORDS:
        assert word in plugin.MARK


def test_every_key_with_its_default_and_nothing_else():
    (step,) = (step for step in steps(OPTIONS) if step.do == "file")
    table = tomllib.loads(step.text)["tool"]["mqchaos"]
    assert set(table) == {item.name for item in dataclasses.fields(Config)}
    load(table)
    assert set(own_profiles(table["profiles"], "kafka")) == set(table["profiles"])
    for name in set(table) - {"broker", "listen", "profiles"}:
        assert table[name] == getattr(Config(), name), name


def test_every_fixture():
    named = set(first_cells(section("Fixtures"))) - {"fixture", "---"}
    ours = {name for name in vars(plugin) if name.startswith(("kafka_chaos", "mqchaos_"))}
    assert named == ours - {"mqchaos_plan", "mqchaos_broker"}  # our own, and one for later


def generator():
    """The script beside the pages that it writes."""
    path = ROOT / "docs" / "generate_reference.py"
    spec = importlib.util.spec_from_file_location("generate_reference", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_page_of_chaos_is_up_to_date_and_has_every_public_name():
    made = generator()
    text = made.pages()["chaos.md"]
    assert page("docs/reference/chaos.md") == text, "run: python docs/generate_reference.py"
    shown = re.findall(r"^### `chaos\.(\w+)", text, re.MULTILINE)
    public = {name for name in dir(Chaos) if not name.startswith("_")}
    assert len(shown) == len(set(shown))
    assert set(shown) == public - made.WITHIN
    assert public >= made.WITHIN
    assert "### `chaos.assert_attempts(*, at_most)`" in text  # with the options of its checker
    shown = re.findall(r"^### `worker\.(\w+)", text, re.MULTILINE)
    assert set(shown) == {n for n in dir(WorkerHandle) if not n.startswith("_")} - {"supervisor"}


def test_the_page_of_the_assertions_is_up_to_date():  # the others: tests/plan/test_render.py
    made = generator()
    text = made.pages()["assertions.md"]
    assert page("docs/reference/assertions.md") == text, "run: python docs/generate_reference.py"
    asked = re.findall(r"^## `assert_(\w+)", text, re.MULTILINE)
    assert asked == list(CHECKERS)


def test_every_assertion_has_a_checker_and_the_numbers_of_the_readme_hold():
    asked = {name for name in dir(Assertions) if name.startswith("assert_")}
    assert asked == {f"assert_{name}" for name in CHECKERS}
    assert f"[{len(CHECKERS)} assertions]" in page("README.md")
    assert f"[{len(PROFILES['kafka'])} profiles]" in page("README.md")


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")], ids=str
)
def test_no_link_leads_nowhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_the_embedded_cluster_is_hosted_as_its_page_says():
    (block,) = re.findall(
        r"```python\n(.*?)```", page("docs/reference/embedded-kafka.md"), re.DOTALL
    )
    api_versions = struct.pack(">ihhih", 10, 18, 0, 7, -1)
    names = {"now": 1_000, "data": api_versions}
    exec(compile(block, "embedded-kafka.md", "exec"), names)
    assert names["number"] == names["connection"]
    size, correlation, error = struct.unpack_from(">iih", names["answer"])
    assert (size, correlation, error) == (len(names["answer"]) - 4, 7, 0)
    assert not names["cluster"].take_failures()


# ------------------------------------------------------------------------------- what --help says


def test_pytest_help_has_every_option(tmp_path):
    reader = Reader(tmp_path)
    reader.run(Step("run", "messaging chaos:", "$ pytest --help\n"))
    for shown in options().values():
        assert shown in reader.printed


def test_the_command_says_what_it_can(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    said = capsys.readouterr().out
    named = re.findall(r"^\| `mqchaos (\w+)", section("The `mqchaos` command"), re.MULTILINE)
    assert named == re.findall(r"^    (\w+)", said, re.MULTILINE)


def test_mqchaos_profiles_has_every_profile_and_bundle(capsys):
    assert cli.main(["profiles"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == [*PROFILES["kafka"], *BUNDLES["kafka"]]


@pytest.mark.parametrize("name", [*PROFILES["kafka"], *BUNDLES["kafka"]])
def test_mqchaos_explains_each(name, capsys):
    assert cli.main(["profiles", name]) == 0
    said = capsys.readouterr().out
    for one in BUNDLES["kafka"].get(name, [name]):
        assert f"# {one}\n" in said
    assert "In the real world: " in said


def test_mqchaos_names_what_is_near(capsys):
    assert cli.main(["profiles", "lost-confrim"]) == 2
    assert "Did you mean 'lost-confirm'" in capsys.readouterr().err
