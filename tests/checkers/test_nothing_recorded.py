"""No source of effects was declared, and none was recorded: forgotten, or never called?"""

from dataclasses import replace

import pytest

from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.registry import checker
from pytest_mqchaos.errors import UsageError
from tests.checkers.timeline import DRAWN, UNFIRED, run


def test_without_a_source_nothing_to_do_is_no_usage_error():
    """A handler that records its effects was never called, and could not declare them."""
    for name in ("lossless", "idempotent", "ordered", "latest", "exactly_once"):
        for rules in ((), (UNFIRED,)):
            blank = run(rules=rules).but(effects=None)
            assert blank.ask(checker(name)).status == "passed"
        with pytest.raises(UsageError, match="no effect source"):  # what had to fail fails
            run().but(effects=None).ask(checker(name))
    refused = run(rules=(DRAWN,)).but(effects=None).publish("a", outcome="refused")
    assert refused.ask(lossless()).status == "passed"
    with pytest.raises(UsageError, match="no effect source"):
        run(rules=(DRAWN,)).but(effects=None).log_add("a").ask(lossless())
    with pytest.raises(UsageError, match="no effect source"):
        run(rules=()).but(effects=None).ask(checker("same_outcome", baseline={"a": 1}))


def test_a_source_of_the_run_without_faults_is_one_with_faults():
    fine = run(rules=()).publish("a").work("a").history()
    line = run().publish("a").but(effects=None).deliver("a").ack()
    assert line.ask(checker("same_outcome", baseline=fine)).status == "failed"
    blind = replace(fine, effects=None)
    with pytest.raises(UsageError, match="no effect source"):
        line.ask(checker("same_outcome", baseline=blind))
