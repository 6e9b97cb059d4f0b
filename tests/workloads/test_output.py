import io

from pytest_mqchaos.workloads import output


def test_lines_are_kept_as_they_were_with_rising_times(tmp_path):
    path = tmp_path / "log"
    output.keep(io.BytesIO(b"one\r\n\n  two \xff\nthree"), path)
    kept = list(output.lines(path))
    assert [line.text for line in kept] == ["one", "", "  two \ufffd", "three"]
    assert [line.t for line in kept] == sorted(line.t for line in kept)


def test_lines_between_two_instants(tmp_path):
    path = tmp_path / "log"
    path.write_text("10 a\n20 b\n30 c d\n")
    assert [line.text for line in output.lines(path, 20)] == ["b", "c d"]
    assert [line.text for line in output.lines(path, 11, 29)] == ["b"]
    assert output.tail(path, 2) == "b\nc d"


def test_a_process_that_said_nothing(tmp_path):
    assert list(output.lines(tmp_path / "none")) == []
    assert output.tail(tmp_path / "none") == ""
