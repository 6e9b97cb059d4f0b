"""The legality table: whole, consistent, backed by recipes, clear about what is not in it."""

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.faults.registry import FAULTS
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.legality import TABLES, refusal, row, table
from pytest_mqchaos.recipes import registry as recipes
from pytest_mqchaos.wire.kafka.error_codes import code_of

ROWS = [item for known in TABLES.values() for item in known.rows]
REFUSALS = [(name, item) for name, known in TABLES.items() for item in known.refusals]


@pytest.mark.parametrize("item", ROWS, ids=lambda r: f"{r.protocol}-{r.point}-{r.fault}")
def test_every_row_is_whole(item):
    assert item.fault in FAULTS
    assert row(item.protocol, item.point, item.fault) is item
    assert set(item.apis) <= set(table(item.protocol).apis[item.point])
    for text in (item.what, item.cause, item.survives, item.reference, item.consequence):
        assert len(text) > 10
    assert item.what.endswith(".")


@pytest.mark.parametrize("protocol", TABLES)
def test_every_row_has_a_recipe_and_every_recipe_a_row(protocol):
    assert {(r.point, r.fault) for r in table(protocol).rows} == set(recipes.table(protocol))


@pytest.mark.parametrize("protocol", TABLES)
def test_no_row_comes_twice(protocol):
    places = [(item.point, item.fault) for item in table(protocol).rows]
    assert len(places) == len(set(places))


def test_no_row_of_a_default_table_is_forged_yet():
    assert not [item for item in ROWS if item.forged]


@pytest.mark.parametrize("protocol", TABLES)
def test_every_hint_is_about_a_row_that_is_missing(protocol):
    known = table(protocol)
    assert not known.instead.keys() & {(item.point, item.fault) for item in known.rows}
    assert {verb for _, verb in known.instead} <= set(FAULTS)


@pytest.mark.parametrize("point", Point)
@pytest.mark.parametrize("verb", FAULTS)
def test_a_missing_row_says_what_can_be_had_instead(point, verb):
    if any(item.point == point and item.fault == verb for item in table("kafka").rows):
        assert row("kafka", point, verb).fault == verb
        return
    with pytest.raises(
        UsageError, match=rf"Kafka cannot {verb} at {point}.*Possible at {point}: [a-z]"
    ):
        row("kafka", point, verb)


def test_an_unknown_protocol_or_fault():
    with pytest.raises(UsageError, match=r"unknown protocol 'kafak'. Did you mean 'kafka'"):
        table("kafak")
    with pytest.raises(UsageError, match=r"unknown fault 'dorp'. Did you mean 'drop'"):
        row("kafka", Point.ACK, "dorp")


@pytest.mark.parametrize(("protocol", "item"), REFUSALS)
def test_every_refusal_is_found_by_name_and_number(protocol, item):
    for api in item.apis or (None,):
        assert refusal(protocol, item.point, item.code, api=api).code == item.code
        assert refusal(protocol, item.point, item.name, api=api).name == item.name
    assert item.code not in table(protocol).caused
    assert item.cause


@pytest.mark.parametrize(
    ("point", "api", "code"),
    [
        (Point.PUBLISH, None, 6),
        (Point.ACK, None, 14),
        (Point.ACK, "TxnOffsetCommit", 14),
        (Point.CONTROL, "Heartbeat", 27),
        (Point.CONTROL, "EndTxn", 51),
        (Point.CONTROL, "FindCoordinator", 15),
        (Point.CONTROL, "Metadata", 5),
        (Point.CONTROL, "OffsetFetch", 14),
    ],
)
def test_the_usual_error(point, api, code):
    assert refusal("kafka", point, None, api=api).code == code


def test_each_refusable_request_has_one_usual_error():
    known = table("kafka")
    for api in row("kafka", Point.CONTROL, "refuse").apis:
        usual = [r for r in known.refusals if r.default and api in r.apis]
        assert len(usual) == 1
    for point in (Point.PUBLISH, Point.ACK):
        assert len([r for r in known.refusals if r.default and r.point is point]) == 1


def test_errors_that_mean_stored_are_marked():
    assert {item.code for _, item in REFUSALS if item.stored} == {7, 20}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (22, "ILLEGAL_GENERATION"),
        (25, "UNKNOWN_MEMBER_ID"),
        (82, "FENCED_INSTANCE_ID"),
        (90, "PRODUCER_FENCED"),
    ],
)
def test_broker_state_is_caused_not_answered(code, name):
    for given in (code, name):
        with pytest.raises(UsageError, match=rf"{name} \({code}\).*caused, not answered: use "):
            refusal("kafka", Point.ACK, given)
        assert refusal("kafka", Point.ACK, given, forge=True).code == code


def test_an_error_that_is_none_here():
    with pytest.raises(
        UsageError, match=r"error 99 is not one .*Allowed: .*NOT_COORDINATOR \(16\)"
    ):
        refusal("kafka", Point.ACK, 99)
    with pytest.raises(UsageError, match=r"'NOT_CORDINATOR'. Did you mean 'NOT_COORDINATOR'"):
        refusal("kafka", Point.ACK, "NOT_CORDINATOR")
    with pytest.raises(UsageError, match=r"error 27 .* at ack \(TxnOffsetCommit\)"):
        refusal("kafka", Point.ACK, 27, api="TxnOffsetCommit")
    with pytest.raises(UsageError, match=r"cannot refuse at control \(CreateTopics\)"):
        refusal("kafka", Point.CONTROL, None, api="CreateTopics")
    with pytest.raises(UsageError, match=r"unknown error at ack 'NONSENSE'"):
        refusal("kafka", Point.ACK, "NONSENSE", forge=True)


def test_forged_takes_any_number():
    made = refusal("kafka", Point.ACK, 99, forge=True)
    assert (made.code, made.name) == (99, "error 99")


def test_error_names_and_numbers_are_those_of_the_codec():
    named = {(item.name, item.code) for _, item in REFUSALS}
    named |= {(name, code) for code, (name, _) in table("kafka").caused.items()}
    assert {(name, code_of(name)) for name, _ in named} == named
