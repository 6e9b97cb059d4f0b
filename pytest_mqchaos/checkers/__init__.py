"""One question a file: pure functions from a history to a verdict.

CHECKERS["lossless"](keep="all")(history) -> Verdict      run(checker, history) never raises
"""

from pytest_mqchaos.checkers.registry import CHECKERS, checker, run
from pytest_mqchaos.checkers.verdict import Checker, Finding, Verdict, worst

__all__ = ["CHECKERS", "Checker", "Finding", "Verdict", "checker", "run", "worst"]
