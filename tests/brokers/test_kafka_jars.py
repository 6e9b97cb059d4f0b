"""Where the jars come from. Maven is played by a script here; the real one runs in tests/live."""

import stat
import sys
import threading

import pytest

from pytest_mqchaos.brokers import kafka_jars as room
from pytest_mqchaos.brokers.java import cache_directory
from pytest_mqchaos.brokers.kafka_jars import COORDINATES, KAFKA_VERSION, kafka_jars, lacking_jars
from pytest_mqchaos.errors import BrokerError, UsageError

NAMES = sorted("{1}-{2}.jar".format(*each.split(":")) for each in COORDINATES)

# Reads the pom as Maven would, counts its runs, and "downloads".
MAVEN = """#!{python}
import pathlib, re, sys
with open({runs!r}, "a") as runs: runs.write("run\\n")
if {fail}:
    print("[ERROR] Could not transfer artifact"); sys.exit(1)
assert sys.argv[1:] == ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
pom = pathlib.Path("pom.xml").read_text()
jars = pathlib.Path("jars"); jars.mkdir()
found = re.findall("<artifactId>([^*<]+)</artifactId><version>([^<]+)</version><excl", pom)
for a, v in found[{skip}:]:
    (jars / f"{{a}}-{{v}}.jar").write_text("jar")
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """An empty machine: no cache, no KAFKA_HOME, nothing on PATH."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    (tmp_path / "bin").mkdir()
    return tmp_path


def install_maven(machine, *, fail=False, skip=0):
    script = machine / "bin" / "mvn"
    runs = machine / "runs"
    script.write_text(MAVEN.format(python=sys.executable, runs=str(runs), fail=fail, skip=skip))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return runs


def test_without_anything_it_says_what_to_install(machine):
    assert "install Maven (mvn)" in lacking_jars()
    with pytest.raises(UsageError, match=r"install Maven \(mvn\).*or set KAFKA_HOME"):
        kafka_jars()


def test_maven_is_asked_once_per_machine(machine):
    runs = install_maven(machine)
    assert lacking_jars() is None
    jars, version = kafka_jars()
    assert version == KAFKA_VERSION
    assert [jar.name for jar in jars] == NAMES
    assert kafka_jars() == (jars, version)
    assert runs.read_text() == "run\n"


def test_with_the_cache_filled_maven_is_not_needed(machine):
    install_maven(machine)
    jars, _ = kafka_jars()
    (machine / "bin" / "mvn").unlink()
    assert lacking_jars() is None
    assert kafka_jars()[0] == jars


def test_tests_that_start_in_parallel_fetch_once(machine):
    runs = install_maven(machine)
    found = []
    threads = [threading.Thread(target=lambda: found.append(kafka_jars())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert runs.read_text() == "run\n"


def test_a_failed_fetch_says_what_maven_said_and_leaves_nothing(machine):
    install_maven(machine, fail=True)
    with pytest.raises(BrokerError, match=r"(?s)status 1.*Could not transfer artifact"):
        kafka_jars()
    assert [path.name for path in cache_directory().iterdir()] == ["kafka.lock"]


def test_an_incomplete_fetch_is_not_kept(machine):
    install_maven(machine, skip=1)
    with pytest.raises(BrokerError, match=r"status 0, missing: [\w.-]+\.jar\)"):
        kafka_jars()
    install_maven(machine)
    assert len(kafka_jars()[0]) == len(NAMES)


def test_a_maven_that_hangs_is_told(machine, monkeypatch):
    script = machine / "bin" / "mvn"
    script.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(600)\n")
    script.chmod(0o755)
    monkeypatch.setattr(room, "_TIMEOUT", 0.2)
    with pytest.raises(BrokerError, match=r"mvn -q .* did not end within 0.2 s"):
        kafka_jars()


def distribution(machine, monkeypatch, *names):
    libs = machine / "kafka" / "libs"
    libs.mkdir(parents=True)
    for name in names:
        (libs / name).write_text("jar")
    monkeypatch.setenv("KAFKA_HOME", str(libs.parent))


def test_an_unpacked_distribution_is_taken_as_it_is(machine, monkeypatch):
    distribution(machine, monkeypatch, "kafka_2.13-4.1.0.jar", "kafka-clients-4.1.0.jar")
    assert lacking_jars() is None
    jars, version = kafka_jars()
    assert version == "4.1.0"
    assert [jar.name for jar in jars] == ["kafka-clients-4.1.0.jar", "kafka_2.13-4.1.0.jar"]


def test_a_folder_that_is_no_distribution_is_refused(machine, monkeypatch):
    distribution(machine, monkeypatch, "readme.txt")
    with pytest.raises(UsageError, match="has no libs/kafka_2"):
        kafka_jars()


def test_a_distribution_that_is_too_old_is_refused(machine, monkeypatch):
    distribution(machine, monkeypatch, "kafka_2.13-3.9.1.jar")
    with pytest.raises(UsageError, match=r"is Kafka 3.9.1: 4.0 or newer"):
        kafka_jars()
