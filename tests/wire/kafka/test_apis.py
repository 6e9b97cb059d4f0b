"""The tables against kio's schemas, and what importing the codec loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.wire.kafka.apis import APIS, flexible, name_of, reply_tagged
from pytest_mqchaos.wire.kafka.error_codes import CODES, NAMES, RETRIABLE, code_of
from pytest_mqchaos.wire.kafka.error_codes import name_of as error_name

pytest.importorskip("kio")


def test_the_api_table_is_what_kio_knows():
    from kio.index import load_request_schema, load_response_schema
    from kio.schema.index import api_key_map, schema_name_map
    from kio.static.constants import EntityType

    assert set(APIS) == set(api_key_map)
    for key, api in APIS.items():
        versions = [
            version
            for version, kinds in schema_name_map[api_key_map[key]].items()
            if EntityType.request in kinds
        ]
        assert (api.low, api.high) == (min(versions), max(versions))
        for version in versions:
            request = load_request_schema(key, version)
            reply = load_response_schema(key, version)
            assert request.__name__ == f"{api.name}Request"
            assert flexible(key, version) == request.__flexible__
            assert flexible(key, version) == (request.__header_schema__.__version__ == 2)
            assert reply_tagged(key, version) == (reply.__header_schema__.__version__ == 1)


def test_an_api_outside_the_table_has_a_name_and_no_tags():
    assert name_of(999) == "Api(999)"
    assert not flexible(999, 0)


def test_the_error_table_is_what_kio_knows():
    from kio.schema.errors import ErrorCode

    assert {int(code): code.name.upper() for code in ErrorCode} == NAMES
    assert {int(code) for code in ErrorCode if code.retriable} == RETRIABLE


def test_errors_are_given_by_name_or_number():
    assert code_of("not-leader-or-follower") == code_of("NOT_LEADER_OR_FOLLOWER") == 6
    assert code_of(90) == CODES["PRODUCER_FENCED"] == 90
    assert (error_name(7), error_name(9999)) == ("REQUEST_TIMED_OUT", "ERROR_9999")


@pytest.mark.parametrize("wrong", ["NOT_LEADER_OR_FOLOWER", 9999])
def test_an_error_that_does_not_exist_is_refused(wrong):
    with pytest.raises(UsageError, match="unknown Kafka error") as told:
        code_of(wrong)
    if wrong == "NOT_LEADER_OR_FOLOWER":
        assert "Did you mean 'NOT_LEADER_OR_FOLLOWER'" in str(told.value)


def test_importing_the_codec_loads_no_library():
    heavy = "{'kio', 'aiokafka', 'cramjam', 'crc32c', 'asyncio', 'socket'}"
    script = (
        "import sys; before = set(sys.modules); "
        "from pytest_mqchaos.wire.kafka.codec import KafkaCodec; "
        "KafkaCodec().scanner(); import pytest_mqchaos.wire.kafka.requests; "
        f"print(sorted({heavy} & set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
