"""Tokens: one word for a command line, and an error for everything that is none."""

import base64
import json
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan import token
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Plan
from tests.plan.drawn import plans

WHOLE = Plan(on.confirm(topic="orders", nth=2).drop(), seed=7).token


def packed(data: bytes) -> str:
    return "mq1." + base64.urlsafe_b64encode(zlib.compress(data)).decode().rstrip("=")


@given(plan=plans)
def test_a_token_is_one_word_that_no_shell_touches(plan):
    assert re.fullmatch(r"mq1\.[A-Za-z0-9_-]+", plan.token)
    assert plan.token == Plan.from_json(plan.to_json()).token


def test_the_same_plan_always_has_the_same_token():
    data = {"b": 1, "a": [1, 2]}
    assert token.encode(data) == token.encode(dict(reversed(data.items())))
    assert token.decode(token.encode(data)) == data


def test_whatever_letter_its_end_is():
    data = [{"a": "x" * (n % 7) + chr(97 + n % 26) * (n // 26 + 1)} for n in range(400)]
    words = [token.encode(one) for one in data]
    assert [token.decode(word) for word in words] == data
    assert len({word[-1] for word in words}) > 50


def test_a_number_that_json_has_not_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        token.encode({"a": float("nan")})


def test_a_common_plan_stays_short():
    assert len(WHOLE) < 140
    made = Plan.from_token(WHOLE).token[4:]
    word = base64.urlsafe_b64decode(made + "=" * (-len(made) % 4))
    assert zlib.decompress(word) == (
        b'{"rules":[{"fault":"drop","on":"confirm","where":{"nth":2,"topic":"orders"}}],"seed":7}'
    )
    assert word[1] == 0xDA  # packed as tightly as can be


def test_another_version_is_named():
    with pytest.raises(UsageError) as caught:
        Plan.from_token("mq2." + WHOLE[4:])
    assert str(caught.value) == (
        f"'mq2.{WHOLE[4:37]}...' is a plan token of version 2; this pytest-mqchaos reads version "
        "1. Run it with the release that wrote it, or write the plan as code."
    )


@given(cut=st.integers(5, len(WHOLE) - 1))
def test_a_cut_token_is_a_clear_error(cut):
    with pytest.raises(UsageError, match=r"[Cc]opy the whole word"):
        Plan.from_token(WHOLE[:cut])


@given(place=st.integers(4, len(WHOLE) - 1), letter=st.characters(max_codepoint=126))
def test_a_damaged_token_never_raises_anything_but_ours(place, letter):
    damaged = WHOLE[:place] + letter + WHOLE[place + 1 :]
    try:
        plan = Plan.from_token(damaged)
    except UsageError:
        return
    assert plan == Plan.from_token(plan.token)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hello", "'hello' is no plan token: a token starts with 'mq1.'"),
        ("mq1.", "its end is missing"),
        ("mq1.!!!!", "is broken"),
        (packed(b"{"), "is broken"),
        (packed(b"[" * 100_000), "is broken"),
        (packed(b"[1]"), "holds no plan"),
        (packed(b"{}" + b" " * (2 << 20)), "holds no plan"),
        (packed(b'{"rules": 3, "seed": 0}'), "must be a list, not 3"),
        (packed(b'{"rulez": []}'), "unknown field of a plan 'rulez'. Did you mean 'rules'"),
        (packed(b'{"rules": [4]}'), "a rule must be a mapping, not 4"),
        (packed(b'{"rules": [{"on": "x", "fault": "drop"}]}'), "unknown point 'x'"),
        (packed(b'{"rules": [{"on": "ack", "fault": "x"}]}'), "unknown fault 'x'"),
        (packed(b'{"rules": [{"on": "ack", "fault": []}]}'), r"unknown fault \[\]"),
        (packed(b'{"rules": [{"on": [], "fault": "drop"}]}'), r"unknown point \[\]"),
        (packed(b'{"rules": [{"on": "ack", "fault": "drop", "with": 1}]}'), "with must be a map"),
        (packed(b'{"rules": [{"on": "ack", "fault": "drop", "wher": 1}]}'), "mean 'where'"),
        (packed(b'{"rules": [{"on": "ack", "fault": "drop", "where": {"x": 1}}]}'), "Allowed:"),
        (packed(b'{"seed": "x"}'), "seed='x'"),
    ],
)
def test_a_token_that_holds_no_plan_of_ours(text, says):
    with pytest.raises(UsageError, match=says):
        Plan.from_token(text)


@pytest.mark.parametrize("text", ["x" * 5000, "a\0b", "mq9" + "\ufffd" * 200])
def test_a_text_that_no_file_can_be_called_is_refused_as_any_other(text):
    with pytest.raises(UsageError, match="is neither a plan token"):
        Plan.from_text(text)


@pytest.mark.parametrize(
    "nth",
    [
        {"range": [1]},
        {"range": "abc"},
        {"range": [0, 3, 1]},
        {"range": [1, 2, 0]},
        {"every": 0},
        {"every": None},
        {"bytes": "a"},
        {"bytes": 3},
        {"odd": 1},
        {"range": [1, 2, 1], "every": 1},
        {"test": []},
        {"test": ["key", {"bytes": "!"}]},
        {"all": [{"test": ["topic", "x"]}]},
        {"any": [1, 2]},
        {"not": 3},
        {"all": 3},
        [1],
        "1",
    ],
)
def test_a_value_that_cannot_be_read_is_refused(nth):
    data = {"rules": [{"on": "ack", "fault": "drop", "where": {"nth": nth}}]}
    with pytest.raises(UsageError, match=r".{10}"):
        Plan.from_token(packed(json.dumps(data).encode()))
