"""The example of docs/how-to/write-a-fault.md works as it stands there."""

import re
from pathlib import Path

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan.table import Row

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-fault.md"


def test_the_fault_of_the_page_holds_then_cuts():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    names = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    names["test_stutter_holds_then_cuts"]()
    with pytest.raises(UsageError, match=r"\.stutter\(seconds=-1\)"):
        names["Stutter"](seconds=-1)
    assert isinstance(names["ROW"], Row)
