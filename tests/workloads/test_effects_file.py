import subprocess
import sys
import time

import pytest

from pytest_mqchaos.errors import PeerError, UsageError
from pytest_mqchaos.workloads.effects_file import read, record_attempt, record_effect


@pytest.fixture
def effects(tmp_path, monkeypatch):
    path = tmp_path / "effects.jsonl"
    monkeypatch.setenv("MQCHAOS_EFFECTS", str(path))
    monkeypatch.delenv("MQCHAOS_INCARNATION", raising=False)
    return path


def test_what_is_recorded_is_read_with_its_time(effects):
    before = time.monotonic_ns()
    record_attempt("p-1")
    record_effect("p-1", part="debit", by="billing", key="alice", value={"amount": 5})
    record_effect(ids=["p-2", "p-3"])
    after = time.monotonic_ns()
    lines = list(read(effects))
    times = [line.pop("t") for line in lines]
    assert times == sorted(times)
    assert before <= times[0]
    assert times[-1] <= after
    assert lines == [
        {"id": "p-1", "attempt": True},
        {"id": "p-1", "part": "debit", "by": "billing", "key": "alice", "value": {"amount": 5}},
        {"ids": ["p-2", "p-3"]},
    ]


def test_an_incarnation_signs_its_lines(effects, monkeypatch):
    monkeypatch.setenv("MQCHAOS_INCARNATION", "worker-1#2")
    record_effect("p-1")
    assert next(read(effects))["owner"] == "worker-1#2"


@pytest.mark.parametrize("arguments", [{}, {"id": "a", "ids": ["b"]}])
def test_an_effect_has_an_id_or_ids(effects, arguments):
    with pytest.raises(UsageError, match="one of them"):
        record_effect(**arguments)


def test_a_value_must_fit_into_json(effects):
    with pytest.raises(UsageError, match="JSON can hold"):
        record_effect("p-1", value=object())
    assert list(read(effects)) == []


def test_outside_of_a_workers_process_it_names_the_other_way(monkeypatch):
    monkeypatch.delenv("MQCHAOS_EFFECTS", raising=False)
    with pytest.raises(UsageError, match=r"use chaos\.effects\.record"):
        record_effect("p-1")


def test_a_line_without_its_end_is_not_there_yet(effects):
    record_effect("p-1")
    with effects.open("ab") as file:
        file.write(b'{"id": "p-2"')
    assert [line["id"] for line in read(effects)] == ["p-1"]


def test_no_file_is_no_effect(effects):
    assert list(read(effects)) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 1 is not JSON"),
        ('["p-1"]', 'needs an "id" or "ids"'),
        ('{"key": "alice"}', 'needs an "id" or "ids"'),
        ('{"id": "p-1", "ids": ["p-2"]}', "one of them"),
        ('{"id": "p-1", "amount": 5}', "unknown column 'amount'"),
    ],
)
def test_a_bad_line_is_named(effects, line, says):
    effects.write_text(line + "\n")
    with pytest.raises(PeerError, match=says):
        list(read(effects))


def test_lines_of_several_processes_do_not_mix(effects):
    code = (
        "import sys\n"
        "from pytest_mqchaos.workloads.effects_file import record_effect\n"
        "for n in range(50): record_effect(f'{sys.argv[1]}-{n}', value=sys.argv[1] * 5000)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    lines = list(read(effects))
    assert len(lines) == 150
    assert all(line["value"] == line["id"][0] * 5000 for line in lines)
    assert [line["id"] for line in lines if line["id"][0] == "b"] == [f"b-{n}" for n in range(50)]
