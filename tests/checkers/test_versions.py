"""Where messages carry a version, that is the order: a late copy of an old one is no newer one."""

import pytest

from pytest_mqchaos.checkers.latest import latest
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.errors import UsageError
from tests.checkers.timeline import run

VERSION = "json:/v"


def changes(*versions, key=b"k"):
    """Changes of one row, in the order of publishing: a snapshot may come behind what is newer."""
    line = run()
    for v in versions:
        value = b"{}" if v is None else b'{"v": %s}' % str(v).encode()
        line.publish(f"v{v}", key=key, value=value)
    return line.deliver(*(f"v{v}" for v in versions))


def final(line, name):
    return line.effect(name, key="k", countable=False).ack()


@pytest.mark.parametrize(("ends", "status"), [("v10", "passed"), ("v9", "failed")])
def test_the_highest_version_is_the_last_whatever_came_last(ends, status):
    verdict = final(changes(9, 10, 2), ends).ask(latest(version=VERSION))
    assert verdict.status == status
    if status == "failed":
        assert verdict.findings[0].text == "key 'k' ends with 'v9', highest version: v10"
    else:
        assert verdict.sentence == "1 key, each at its highest version"


def test_without_a_version_the_log_says_which_is_the_last():
    assert final(changes(9, 10, 2), "v10").ask(latest()).status == "failed"


def test_only_older_versions_need_no_effect():
    question = lossless(keep="latest", version=VERSION)
    assert final(changes(9, 10, 2), "v10").ask(question).status == "passed"
    assert final(changes(9, 10, 2), "v10").ask(lossless(keep="latest")).status == "failed"
    verdict = final(changes(9, 10, 2), "v2").ask(question)
    assert [finding.id for finding in verdict.findings] == ["v10"]


def test_words_are_compared_as_words():
    line = changes('"2026-01-02"', '"2026-01-01"')
    assert final(line, 'v"2026-01-02"').ask(latest(version=VERSION)).status == "passed"


def test_a_message_without_a_version_may_be_the_newest():
    line = final(changes(1, None), "v1")
    verdict = line.ask(latest(version=VERSION))
    assert verdict.status == "unknown"
    assert "1 message without a version: vNone" in verdict.sentence
    owed = line.ask(lossless(keep="latest", version=VERSION))
    assert [finding.id for finding in owed.findings] == ["vNone"]


def test_a_version_without_latest_is_a_mistake():
    with pytest.raises(UsageError, match="keep='latest'"):
        lossless(version=VERSION)
