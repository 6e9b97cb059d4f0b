"""Every module says what it knows; protocols live side by side and never meet."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pytest_mqchaos"


def imports(path):
    """The names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def meetings(room, prefix):
    """Imports from one protocol's folder of `room` into another's, as (file, import)."""
    folders = sorted(path.parent.name for path in room.glob("*/__init__.py"))
    return [
        (f"{folder}/{path.name}", name)
        for folder in folders
        for path in sorted((room / folder).rglob("*.py"))
        for name in imports(path)
        for other in folders
        if other != folder and (name + ".").startswith(f"{prefix}.{other}.")
    ]


@pytest.mark.parametrize("room", ["wire", "recipes"])
def test_one_codec_one_recipe_folder_never_imports_another(room):
    assert meetings(PACKAGE / room, f"pytest_mqchaos.{room}") == []


def test_the_measure_of_meetings_itself(tmp_path):
    for name, code in {"a": "from room.b import x", "b": "import room.base"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(code + "\n")
    assert {file for file, _ in meetings(tmp_path, "room")} == {"a/__init__.py"}


def test_every_module_says_what_it_knows():
    silent = [
        str(path.relative_to(ROOT))
        for path in sorted(PACKAGE.rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_the_package_is_typed():
    assert (PACKAGE / "py.typed").exists()
