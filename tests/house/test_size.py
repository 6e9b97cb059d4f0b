"""300 lines are a wall: who reaches it has two reasons in one module."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WALL = 300
ROOMS = ("pytest_mqchaos", "fixtures", "benchmarks", "orphans", "fuzz", "differential", "tests")
# Data tables and generated modules, which are looked up and not read. Nothing else belongs here.
EXEMPT = {"pytest_mqchaos/plan/legality_kafka.py"}


def too_long(root, rooms=ROOMS, exempt=EXEMPT):
    """Every module above the wall, as (path, lines)."""
    modules = [path for room in rooms for path in sorted((root / room).rglob("*.py"))]
    sizes = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in modules}
    return [(path, size) for path, size in sizes.items() if size > WALL and path not in exempt]


def test_no_module_reaches_the_wall():
    assert too_long(ROOT) == []


def test_every_exemption_is_still_needed():
    assert {path for path, _ in too_long(ROOT, exempt=())} >= EXEMPT


@pytest.mark.parametrize(("lines", "found"), [(300, []), (301, [("room/long.py", 301)])])
def test_the_measure_itself(tmp_path, lines, found):
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "long.py").write_text("x = 1\n" * lines)
    assert too_long(tmp_path, rooms=("room",)) == found
