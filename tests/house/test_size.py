"""300 lines are a wall: who reaches it has two reasons in one module."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WALL = 300
ROOMS = ("pytest_mqchaos", "fixtures", "benchmarks", "orphans", "fuzz", "differential", "tests")


def too_long(root, rooms=ROOMS):
    """Every module above the wall, as (path, lines)."""
    modules = [path for room in rooms for path in sorted((root / room).rglob("*.py"))]
    sizes = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in modules}
    return [(path, size) for path, size in sizes.items() if size > WALL]


def test_no_module_reaches_the_wall():
    assert too_long(ROOT) == []


@pytest.mark.parametrize(("lines", "found"), [(300, []), (301, [("room/long.py", 301)])])
def test_the_measure_itself(tmp_path, lines, found):
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "long.py").write_text("x = 1\n" * lines)
    assert too_long(tmp_path, rooms=("room",)) == found
