"""Which Java is taken, and what is said when there is none. Played by scripts: no JVM starts."""

import pytest

from pytest_mqchaos.brokers.java import cache_directory, find_java, lacking_java, only_one
from pytest_mqchaos.errors import BrokerError, UsageError


def install_java(home, version, status=0):
    (home / "bin").mkdir(parents=True)
    script = home / "bin" / "java"
    script.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025' >&2\nexit {status}\n")
    script.chmod(0o755)
    return str(script)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_none_at_all(machine, monkeypatch):
    monkeypatch.setenv("PATH", str(machine))
    with pytest.raises(UsageError, match="A broker needs Java 17 or newer: install a JRE"):
        find_java(17, "A broker")


@pytest.mark.parametrize(("version", "major"), [("17.0.15", 17), ("21", 21), ("25-ea", 25)])
def test_java_home_is_taken_first(machine, monkeypatch, version, major):
    path = install_java(machine / "jdk", version)
    monkeypatch.setenv("JAVA_HOME", str(machine / "jdk"))
    java = find_java(17, "A broker")
    assert (java.path, java.major) == (path, major)


@pytest.mark.parametrize("version", ["11.0.2", "1.8.0_402"])
def test_too_old(machine, monkeypatch, version):
    install_java(machine / "jdk", version)
    monkeypatch.setenv("JAVA_HOME", str(machine / "jdk"))
    assert "needs Java 17 or newer" in lacking_java(17, "A broker")


def test_a_java_that_fails(machine, monkeypatch):
    install_java(machine / "jdk", "17", status=1)
    monkeypatch.setenv("JAVA_HOME", str(machine / "jdk"))
    with pytest.raises(BrokerError, match="-version ended with 1"):
        find_java(17, "A broker")


def test_an_archive_belongs_to_one_java_and_one_class_path(machine, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(machine / "a"))
    install_java(machine / "a", "17.0.1")
    install_java(machine / "b", "17.0.2")
    jar = machine / "x.jar"
    jar.write_text("one")
    first = find_java(17, "A broker")
    before = first.archive(machine, [jar])
    assert first.archive(machine, [jar]) == before
    monkeypatch.setenv("JAVA_HOME", str(machine / "b"))
    assert find_java(17, "A broker").archive(machine, [jar]) != before
    jar.write_text("another")
    assert first.archive(machine, [jar]) != before


def test_the_command_line_names_the_archive_only_if_there_is_one(machine, monkeypatch):
    install_java(machine / "jdk", "17")
    monkeypatch.setenv("JAVA_HOME", str(machine / "jdk"))
    java = find_java(17, "A broker")
    jars = [machine / "a.jar", machine / "b.jar"]
    plain = java.command(jars, "192m", None)
    assert plain[-2:] == ["-cp", f"{jars[0]}:{jars[1]}"]
    assert "-Xmx192m" in plain
    assert not [word for word in plain if "SharedArchiveFile" in word]
    assert f"-XX:SharedArchiveFile={jars[0]}" in java.command(jars, "192m", jars[0])


def test_only_one_at_a_time(machine):
    lock = cache_directory() / "lock"
    with only_one(lock, wait=False) as first, only_one(lock, wait=False) as second:
        assert (first, second) == (True, False)
    with only_one(lock, wait=False) as again:
        assert again
