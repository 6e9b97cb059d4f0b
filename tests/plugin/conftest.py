"""A project of a user's: its files, and one quiet run of pytest over them.

What the inner runs need is loaded here, once: pytester forgets what an inner run has imported.
"""

import sys

import aiokafka  # noqa: F401 - see above
import pytest

from pytest_mqchaos.brokers import embedded, kafka_direct  # noqa: F401 - see above
from pytest_mqchaos.chaos import kafka, kafka_post, session  # noqa: F401 - see above
from pytest_mqchaos.guest import ending, fixtures, marks, proof, summary  # noqa: F401 - see above
from pytest_mqchaos.kafka_cluster import cluster  # noqa: F401 - see above
from pytest_mqchaos.recipes.kafka import table  # noqa: F401 - see above
from pytest_mqchaos.relay import commands, engine  # noqa: F401 - see above
from pytest_mqchaos.wire.kafka import codec  # noqa: F401 - see above

PUBLISH = (
    'kafka_chaos.topic("t"); kafka_chaos.publish("t", ["a", "b"]); kafka_chaos.assert_no_copies()'
)


class Project:
    """`test(...)` writes test_it.py, `run(...)` runs it in this process."""

    def __init__(self, pytester):
        self.pytester = pytester

    def test(self, source):
        self.pytester.makepyfile(test_it=source.replace("PUBLISH", PUBLISH))

    def settings(self, toml):
        self.pytester.makepyprojecttoml(toml)

    def run(self, *arguments):
        quiet = [f"-pno:{name}" for name in ("randomly", "cacheprovider", "xdist", "asyncio")]
        return self.pytester.runpytest_inprocess(*quiet, *arguments)

    def names(self, *arguments):
        """The names of what is collected."""
        found = self.run("--collect-only", "-q", *arguments).stdout.lines
        return [line.partition("::")[2] for line in found if line.startswith("test_it.py::")]


@pytest.fixture
def project(pytester, monkeypatch, same_examples):
    monkeypatch.setenv(proof.ENVIRONMENT, "1")  # proof has tests of its own
    # A confirm that a rule delays by a second may be much later where there is too much to do.
    monkeypatch.setattr(kafka_post, "REQUEST_TIMEOUT_MS", 30_000)
    # Files of one name are written twice within the second that tells compiled ones apart.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    for named in ("CI", "BUILD_NUMBER"):  # pytest's short summary repeats whole texts there
        monkeypatch.delenv(named, raising=False)
    return Project(pytester)
