import pytest

from pytest_mqchaos.report.redact import Redactor, cut, digest


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=abc rest", "password=<hidden> rest"),
        ("sasl.password = 'a b' rest", "sasl.password = <hidden> rest"),
        ('{"db_password": "x", "n": 1}', '{"db_password": <hidden>, "n": 1}'),
        ("Authorization: Bearer abc, next", "Authorization: <hidden>, next"),
        ("api_key=1 api-key=2", "api_key=<hidden> api-key=<hidden>"),
        ("postgres://u:p@db/x", "postgres://<hidden>@db/x"),
        ("tests/test_token.py::test_it", "tests/test_token.py::test_it"),
        ("tests/test_token.py:12: in consume", "tests/test_token.py:12: in consume"),
        ("secret.value=abc", "secret.value=<hidden>"),
        ("nothing to hide: 12", "nothing to hide: 12"),
    ],
)
def test_text_loses_its_secrets_and_nothing_else(text, shown):
    assert Redactor().text(text) == shown


def test_without_names_only_addresses_are_cleaned():
    assert Redactor(names=()).text("token=1 amqp://u:p@h") == "token=1 amqp://<hidden>@h"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (None, "null"),
        (b"plain", "plain"),
        (b"\xff\x00", "b'\\xff\\x00'"),
        (b'{"a": [{"token": 1}], "b": 2}', '{"a": [{"token": "<hidden>"}], "b": 2}'),
        (b'{"a":1}', '{"a":1}'),
        (b'{"token": broken', '{"token": <hidden>'),
        (b"x" * 61, "x" * 59 + "…"),
    ],
)
def test_payloads_are_shown_cut_and_clean(data, shown):
    assert Redactor().payload(data) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (10, "10"),
        ("a", "a"),
        (b"a", "a"),
        ({"secret": 1, "n": 2}, "{'secret': <hidden>, 'n': 2}"),
    ],
)
def test_values_of_effects_are_shown(value, shown):
    assert Redactor().value(value) == shown


def test_hidden_payloads_are_told_apart_by_digest():
    hidden = Redactor(payloads="hash")
    assert hidden.payload(b"a") == digest(b"a") != hidden.payload(b"b")
    assert hidden.value(10) == hidden.value(10) != hidden.value(11)
    assert hidden.mask("it was b'abc' or abc, ab", [b"abc", b"ab", None]) == (
        f"it was {digest(b'abc')} or {digest(b'abc')}, ab"
    )


def test_what_is_not_hidden_is_not_masked():
    assert Redactor().mask("abc password=x", [b"abc"]) == "abc password=<hidden>"


def test_a_cut_says_so():
    assert (cut("abcd", 4), cut("abcde", 4), cut("abc", 0)) == ("abcd", "abc…", "…")
