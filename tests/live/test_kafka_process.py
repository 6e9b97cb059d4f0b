"""Real Apache Kafka as a process: what is done to it, and that nothing of it stays."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pytest_mqchaos.brokers.java import Java, cache_directory, only_one
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.brokers.kafka_jars import KAFKA_VERSION, kafka_jars
from pytest_mqchaos.brokers.kafka_process import KafkaProcess
from pytest_mqchaos.brokers.kafka_request import decode, encode
from pytest_mqchaos.errors import BrokerError, Impossible, WaitTimeout
from tests.brokers import questions
from tests.brokers.test_child import ended

pytestmark = pytest.mark.live


def five(address, topic):
    questions.produce(address, topic, [(0, None, b"%d" % n, []) for n in range(5)])


def test_it_says_what_it_is(kafka):
    assert kafka.version
    assert kafka.memory(1) < 400_000_000
    assert kafka.addresses()[1].host == "127.0.0.1"


def test_its_features_are_those_of_its_release(direct):
    """What `kafka-storage format` would have written: KIP-848 groups, KIP-890 transactions."""
    frame = encode(
        "ApiVersions", 4, 1, {"client_software_name": "a", "client_software_version": "1"}
    )
    told = decode("ApiVersions", 4, direct.raw(frame))
    levels = {each.name: each.max_version_level for each in told.finalized_features}
    assert levels["group.version"] == 1
    assert levels["transaction.version"] == 2
    direct.finalize_features()


def test_kill_and_heal_keep_identity_address_and_data(kafka, direct):
    topic = questions.fresh("kept")
    direct.create_topic(topic)
    five(kafka.addresses()[1], topic)
    before, identity = kafka.addresses(), direct.metadata([topic]).topics[topic].id
    kafka.kill(1)
    kafka.kill(1)
    with pytest.raises(WaitTimeout, match="could not ask for metadata"):
        Direct(kafka.addresses()[1], timeout=0.3).metadata()
    kafka.heal()
    assert kafka.addresses() == before
    assert direct.metadata([topic]).topics[topic].id == identity
    assert [r.value for r in direct.read(topic, 0, 0, 5)] == [b"%d" % n for n in range(5)]


def test_restart_keeps_positions_of_groups(kafka, direct):
    topic, group = questions.fresh("restarted"), questions.fresh("positions")
    direct.create_topic(topic)
    five(kafka.addresses()[1], topic)
    questions.commit(kafka.addresses()[1], topic, group, 4)
    kafka.restart(1)
    assert direct.committed(group) == {group: {(topic, 0): 4}}


def test_pause_stands_still_and_resume_goes_on(kafka, direct):
    direct.wait_ready()
    kafka.pause(1)
    silence = pytest.raises(WaitTimeout, match="did not answer in time")
    with Direct(kafka.addresses()[1], timeout=0.3) as impatient, silence:
        impatient.metadata()
    kafka.resume(1)
    assert direct.metadata(()).nodes == kafka.addresses()


def test_only_an_end_that_nobody_asked_for_is_a_death(kafka):
    for do in (kafka.kill, kafka.restart, kafka.pause, kafka.resume):
        do(1)
        assert kafka.died() is None
    pid = kafka._nodes.brokers[1].child.pid
    psutil.Process(pid).kill()
    assert ended(pid)
    assert kafka._nodes.brokers[1].child.wait(10) == -signal.SIGKILL
    assert f"(pid {pid}) is gone: it ended with status -9 and no rule" in kafka.died()
    kafka.heal()
    assert kafka.died() is None


def test_who_was_killed_cannot_be_paused(kafka):
    kafka.kill(1)
    try:
        with pytest.raises(Impossible, match="node 1 is down; only one that is up can be paused"):
            kafka.pause(1)
    finally:
        kafka.heal()


@pytest.mark.parametrize("harm", ["kill", "pause"])
def test_heal_mends_whatever_was_broken(kafka, direct, harm):
    getattr(kafka, harm)(1)
    kafka.heal()
    topic = questions.fresh("healed")
    direct.create_topic(topic)
    assert direct.ends([topic]) == {(topic, 0): (0, 0)}


def test_a_broker_that_does_not_come_up_is_told_with_its_last_lines(kafka_installed):
    broker = KafkaProcess(settings={"log.retention.bytes": "a lot"})
    with pytest.raises(BrokerError, match=r"(?s)ended early with status 1.*log.retention.bytes"):
        broker.start()
    assert broker.addresses() == {}


def test_a_broker_that_never_answers_is_told_with_its_last_lines(kafka_installed, monkeypatch):
    monkeypatch.setattr("pytest_mqchaos.brokers.kafka_process._READY", 0.01)
    broker = KafkaProcess(archive=False)
    with pytest.raises(BrokerError, match=r"could not wait until .* within 0.01 s(?s:.*)said last"):
        broker.start()
    assert broker.addresses() == {}


@pytest.fixture
def empty_cache(kafka_installed, tmp_path, monkeypatch):
    """A machine with the jars and nothing else."""
    kafka_jars()
    real = cache_directory()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (cache_directory() / f"kafka-{KAFKA_VERSION}").symlink_to(real / f"kafka-{KAFKA_VERSION}")
    return cache_directory()


def archives(cache):
    return [path.name for path in cache.iterdir() if path.suffix == ".jsa"]


def start_and_stop(broker):
    try:
        broker.start()
        return list(broker.addresses())
    finally:
        broker.stop()


def test_the_first_start_makes_the_class_data_archive(empty_cache):
    assert start_and_stop(KafkaProcess()) == [1]
    (made,) = archives(empty_cache)
    assert (empty_cache / made).stat().st_size > 10_000_000
    assert sorted(path.suffix for path in empty_cache.iterdir()) == [".1", ".jsa", ".lock"]


def test_while_another_makes_the_archive_a_broker_starts_without(empty_cache, monkeypatch):
    monkeypatch.setattr(Java, "archive", lambda *_: empty_cache / "x.jsa")
    with only_one(empty_cache / "x.lock", wait=False):
        assert start_and_stop(KafkaProcess()) == [1]
    assert archives(empty_cache) == []


def test_a_stale_archive_does_no_harm(empty_cache, monkeypatch):
    monkeypatch.setattr(Java, "archive", lambda *_: empty_cache / "x.jsa")
    (empty_cache / "x.jsa").write_bytes(b"stale" * 1000)
    assert start_and_stop(KafkaProcess()) == [1]


def test_an_archive_that_the_jvm_chokes_on_is_thrown_away(empty_cache, monkeypatch):
    command = Java.command

    def choking(java, classpath, heap, archive):
        flags = ["-XX:NoSuchFlag"] if archive else []
        program, *rest = command(java, classpath, heap, None)
        return [program, *flags, *rest]

    monkeypatch.setattr(Java, "command", choking)
    monkeypatch.setattr(Java, "archive", lambda *_: empty_cache / "x.jsa")
    (empty_cache / "x.jsa").write_bytes(b"")
    assert start_and_stop(KafkaProcess()) == [1]
    assert archives(empty_cache) == []


def test_a_slow_start_does_not_cost_the_archive(empty_cache, monkeypatch):
    """A machine that has no time for the first start is no reason to make it anew for each."""
    archive = empty_cache / "x.jsa"
    archive.write_bytes(b"stale" * 1000)
    monkeypatch.setattr(Java, "archive", lambda *_: archive)
    ready, slow = KafkaProcess._wait_ready, [WaitTimeout("not ready in time")]

    def once_slow(broker, node):
        if slow:
            raise BrokerError("too slow") from slow.pop()
        ready(broker, node)

    monkeypatch.setattr(KafkaProcess, "_wait_ready", once_slow)
    assert start_and_stop(KafkaProcess()) == [1]
    assert slow == []
    assert archives(empty_cache) == ["x.jsa"]


def test_a_distribution_serves_as_well(kafka_installed, tmp_path, monkeypatch):
    (tmp_path / "libs").mkdir()
    for jar in kafka_jars()[0]:
        (tmp_path / "libs" / jar.name).symlink_to(jar)
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    broker = KafkaProcess(archive=False)
    assert start_and_stop(broker) == [1]
    assert broker.version == KAFKA_VERSION


PARENT = """
import sys
from pytest_mqchaos.brokers.kafka_process import KafkaProcess
broker = KafkaProcess()
broker.start()
node = broker._nodes.brokers[1]
print(node.child.pid, node.child.directory, flush=True)
sys.stdin.read()
"""


def test_a_killed_test_run_leaves_no_broker(kafka_installed):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    pid, directory = parent.stdout.readline().split()
    assert psutil.pid_exists(int(pid))
    leash = psutil.Process(int(pid)).parent().pid
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert ended(int(pid))
    assert ended(leash)
    assert not Path(directory.decode()).exists()
