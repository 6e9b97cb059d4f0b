import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Record
from pytest_mqchaos.history.identity import Identity, compose, content


def record(value=b'{"id": "v"}', *, topic="t", key=b"k", offset=-1, headers=()):
    return Record(topic, 0, offset, key, value, tuple(headers))


def by_length(found):
    return str(len(found.value))


@pytest.mark.parametrize(
    ("spec", "made", "ids"),
    [
        ("header:id", record(headers=[("id", b"1"), ("id", b"2")]), ("2",)),
        ("header:id", record(headers=[("id", b"\xff\x00")]), ("ff00",)),
        ("json:/a/1/b~1c", record(b'{"a": [0, {"b/c": 7}]}'), ("7",)),
        ("json:/a", record(b'{"a": {"y": 1, "x": true}}'), ('{"x":true,"y":1}',)),
        ("json:", record(b'"whole"'), ("whole",)),
        ("key", record(), ("k",)),
        ("value", record(b"v"), ("v",)),
        ("offset", record(offset=7), ("t-0@7",)),
        ("property:message_id", record(headers=[("property:message_id", b"p")]), ("p",)),
        (("key", "json:/id"), record(), ("k|v",)),
        (["key", lambda _: ["a", "b"]], record(), ("k|a", "k|b")),
        (lambda r: [r.topic, "x"], record(), ("t", "x")),
        (f"{__name__}:by_length", record(b"four"), ("4",)),
    ],
)
def test_every_kind_of_spec_finds_its_id(spec, made, ids):
    assert Identity.parse(spec).of(made) == ids


def raising(_):
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("spec", "made", "reason"),
    [
        ("header:id", record(headers=[("other", b"1")]), "no header 'id' (headers: other)"),
        ("header:id", record(headers=[("id", None)]), "null"),
        ("json:/id", record(None), "tombstone"),
        ("json:/id", record(b"\xff{"), "not found"),
        ("json:/id", record(b"[1]"), "not found"),
        ("json:/id", record(b'{"id": null}'), "is null"),
        ("json:/id/x", record(b'{"id": 1}'), "not found"),
        ("key", record(key=None), "key is null"),
        ("value", record(None), "tombstone"),
        ("offset", record(), "no offset"),
        (raising, record(), "RuntimeError: boom"),
        (lambda _: 7, record(), "returned 7"),
        (lambda _: [], record(), "returned []"),
        (("key", "header:x"), record(), "no header 'x'"),
    ],
)
def test_what_is_not_found_is_unidentified_with_its_reason(spec, made, reason):
    identity = Identity.parse(spec)
    found = identity.find(made)
    assert found.ids == ()
    assert found.mine
    assert reason in found.reason
    assert identity.last_reason == found.reason


def test_none_from_a_callable_means_not_mine_and_leaves_no_reason():
    identity = Identity.parse(lambda _: None)
    assert not identity.find(record()).mine
    assert identity.last_reason == ""
    assert not Identity.parse(("key", lambda _: None)).find(record()).mine


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("headr:id", ["unknown id 'headr:id'", "header:NAME"]),
        ("kye", ["Did you mean 'key'"]),
        ("json:id", ["json:/id"]),
        ("header:", ["header:NAME"]),
        ("", ["Allowed"]),
        (7, ["Allowed"]),
        ((), ["Allowed"]),
        ("json:dumps", ["JSON pointer"]),
        ("os:no_such_function", ["no_such_function"]),
        ("os:sep", ["not callable"]),
    ],
)
def test_nonsense_is_one_usage_error_that_says_what_is_allowed(spec, words):
    with pytest.raises(UsageError) as caught:
        Identity.parse(spec)
    assert all(word in str(caught.value) for word in words)


def test_each_destination_may_have_its_own_spec():
    identity = Identity.parse({"orders": "key", "*": "value"})
    assert identity.of(record(b"v", topic="orders")) == ("k",)
    assert identity.of(record(b"v", topic="else")) == ("v",)
    assert identity.spec() == {"orders": "key", "*": "value"}
    assert Identity.parse({"orders": "key"}).of(record(headers=[("mqchaos-id", b"d")])) == ("d",)


def test_a_spec_can_be_written_down_unless_a_callable_has_no_name():
    assert Identity.parse().spec() == "header:mqchaos-id"
    assert Identity.parse(("key", by_length)).spec() == ["key", f"{__name__}:by_length"]
    assert Identity.parse(lambda _: "x").spec() is None
    assert Identity.parse(("key", lambda _: "x")).spec() is None
    assert Identity.parse({"t": lambda _: "x"}).spec() is None
    assert json.dumps(Identity.parse(("key", "value")).spec())


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_composites_differ_when_their_parts_do(one, other):
    assert (compose(one) == compose(other)) == (one == other)


@given(*[st.none() | st.binary(max_size=4)] * 4)
def test_contents_differ_when_key_or_value_do(key, value, key2, value2):
    assert (content(key, value) == content(key2, value2)) == ((key, value) == (key2, value2))
