"""What chaos.publish takes, and what it says about anything else."""

import pytest

from pytest_mqchaos.chaos.messages import ID_HEADER, understood
from pytest_mqchaos.chaos.pace import done
from pytest_mqchaos.chaos.posting import Post
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Message
from pytest_mqchaos.history.identity import DEFAULT_SPEC, Identity


def made(given, spec=None, start=0):
    identity = Identity.parse(DEFAULT_SPEC if spec is None else spec)
    return understood(given, destination="t", identity=identity, default=spec is None, start=start)


@pytest.mark.parametrize(
    "given",
    [
        b"v",
        "v",
        bytearray(b"v"),
        memoryview(b"v"),
        Message(value=b"v"),
        {"value": "v"},
        {"value": b"v", "headers": []},
    ],
)
def test_every_form_of_a_message(given):
    (message,) = made([given])
    assert message == Message(value=b"v", id="t-0", headers={ID_HEADER: b"t-0"})


def test_key_id_and_headers_arrive_as_bytes():
    (message,) = made([{"value": None, "key": "k", "id": 7, "headers": {"h": "x", "n": None}}])
    assert message == Message(
        value=None, key=b"k", id="7", headers={"h": b"x", "n": b"", ID_HEADER: b"7"}
    )


def test_ids_are_numbered_on_and_a_header_of_ones_own_counts():
    messages = made([b"a", {"value": b"b", "headers": {ID_HEADER: b"mine"}}], start=5)
    assert [message.id for message in messages] == ["t-5", "mine"]


def _own(record):
    return record.value.decode()[::-1]


@pytest.mark.parametrize(
    ("spec", "given", "expected"),
    [
        ("json:/a/0", {"value": b'{"a": [17]}'}, "17"),
        ("key", {"value": b"v", "key": b"k"}, "k"),
        ("value", {"value": b"v"}, "v"),
        ("header:n", {"value": b"v", "headers": {"n": b"h"}}, "h"),
        (_own, {"value": b"abc"}, "cba"),
        (("key", "json:/t"), {"value": b'{"t": "paid"}', "key": b"7"}, "7|paid"),
        (("key", "value"), {"value": b"v"}, None),
        ({"t": "key", "*": "value"}, {"value": b"v", "key": b"k"}, "k"),
        ("json:/missing", {"value": b"{}"}, None),
    ],
)
def test_an_id_is_found_where_the_spec_says_and_nothing_is_added(spec, given, expected):
    (message,) = made([given], spec)
    assert message.id == expected
    assert ID_HEADER not in message.headers


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([b"x", {"value": b"v", "vlaue": 1}], ["field of message 1 'vlaue'", "'value'"]),
        ([{"value": b"v", "partition": 1}], ["message 0 'partition'", "the partitions in turn"]),
        ([{"key": b"k"}], ["message 0 has no value"]),
        ([{"value": 3}], ["message 0: value must be bytes, str or None, not int: 3"]),
        ([{"value": b"v", "key": 3}], ["message 0: key must be bytes"]),
        ([{"value": b"v", "headers": {"h": 3}}], ["message 0: header h must be bytes"]),
        ([17], ["message 0: value must be bytes"]),
        ([{"value": b"a", "id": "x"}, b"b", {"value": b"c", "id": "x"}],
         ["messages 0 and 2", "same id 'x'", "unique within one chaos.publish"]),
    ],
)  # fmt: skip
def test_what_cannot_be_published_is_refused_before_anything_is_sent(given, words):
    with pytest.raises(UsageError) as raised:
        made(given)
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize("given", ["hello", b"hello", {"value": "hello"}, Message(value=b"hello")])
def test_one_message_in_place_of_a_list_is_not_taken_apart(given):
    with pytest.raises(UsageError, match="this is one message, and a list of messages is wanted"):
        made(given)


def test_two_equal_ids_found_in_content_are_refused_too():
    with pytest.raises(UsageError, match=r"messages 0 and 1 .* same id 'v'"):
        made([b"v", b"v"], "value")


class Client:
    def __init__(self):
        self.sent = []
        self.closed = 0

    def send(self, destination, messages, *, attempts, idempotent):
        self.sent += [message.id for message in messages]
        return list(messages)

    def close(self):
        self.closed += 1


def post(before=frozenset):
    clients = []

    def connect():
        clients.append(Client())
        return clients[-1]

    identity = Identity.parse(DEFAULT_SPEC)
    return Post(identity=identity, default=True, connect=connect, before=before), clients


def test_a_client_is_made_when_there_is_something_to_send_and_closed_once():
    made, clients = post()
    assert done(made.send("t", [], attempts=1, idempotent=False)) == []
    done(made.close())
    assert clients == []
    done(made.send("t", [b"a"], attempts=1, idempotent=False))
    done(made.send("t", [b"b"], attempts=1, idempotent=False))
    done(made.close())
    done(made.close())
    assert [(client.sent, client.closed) for client in clients] == [(["t-0", "t-1"], 1)]


def test_an_id_whose_effect_was_there_before_the_test_is_refused():
    made, clients = post(before=lambda: {"t-1"})
    done(made.send("t", [b"a"], attempts=1, idempotent=False))
    with pytest.raises(UsageError, match=r"'t-1'.*before this test began: reset the store"):
        done(made.send("t", [b"b"], attempts=1, idempotent=False))
    assert clients[0].sent == ["t-0"]
