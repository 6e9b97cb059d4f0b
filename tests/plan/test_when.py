"""Predicates: a small algebra whose repr is its source."""

import pytest
from hypothesis import given

from pytest_mqchaos.errors import UnknownName, UsageError
from pytest_mqchaos.plan.when import QUESTIONS, question, where
from tests.plan.drawn import predicates


@given(predicate=predicates)
def test_repr_is_source(predicate):
    assert eval(repr(predicate), {"where": where}) == predicate
    assert ~~predicate == predicate


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (where.topic("a") & where.key("k"), "where.topic('a') & where.key('k')"),
        (
            (where.topic("a") | where.topic("b")) & ~where.id("1"),
            "(where.topic('a') | where.topic('b')) & ~where.id('1')",
        ),
        (~(where.client("c") & where.group("g")), "~(where.client('c') & where.group('g'))"),
        (where.header("kind"), "where.header('kind')"),
        (where.header("kind", b"x"), "where.header('kind', b'x')"),
        (where.value_contains("x"), "where.value_contains('x')"),
        (where.partition(0), "where.partition(0)"),
    ],
)
def test_parentheses_stand_only_where_they_must(made, text):
    assert repr(made) == text


def test_joins_are_flat_and_values():
    a, b, c = where.topic("a"), where.key("b"), where.id("c")
    assert (a & b) & c == a & (b & c)
    assert (a | b) | c == a | (b | c)
    assert hash((a & b) & c) == hash(a & (b & c))
    assert a & b != a | b
    assert a & b != b & a


def test_and_or_not_of_python_are_caught():
    a, b = where.topic("a"), where.key("b")
    with pytest.raises(UsageError, match=r"with &, \| and ~, not with and, or and not"):
        print(a and b)
    with pytest.raises(UsageError, match="no truth of its own"):
        print(not a)


@pytest.mark.parametrize("other", [True, "x", None, lambda record: True])
def test_only_predicates_can_be_joined(other):
    with pytest.raises(UsageError, match=r"& joins predicates"):
        where.topic("a") & other
    with pytest.raises(UsageError, match=r"\| joins predicates"):
        where.topic("a") | other


def test_an_unknown_predicate_names_the_nearest():
    with pytest.raises(UnknownName, match=r"'heder'. Did you mean 'header'"):
        where.heder("x")
    with pytest.raises(UsageError, match=r"'where.kee'. Did you mean 'where.key'"):
        question("kee", ("x",))
    assert not hasattr(where, "heder")
    assert not hasattr(where, "__wrapped__")
    assert repr(where) == "where"


@pytest.mark.parametrize(
    ("name", "args", "says"),
    [
        ("topic", (b"a",), r"where\.topic\(b'a'\): it takes \(str\)"),
        ("partition", ("0",), r"it takes \(int\)"),
        ("partition", (True,), r"it takes \(int\)"),
        ("key", (1,), r"it takes \(str\|bytes\)"),
        ("header", ("a", 1), r"it takes \(str, str\|bytes\|None\)"),
        ("header", ("a",), "it takes"),
    ],
)
def test_an_argument_of_a_wrong_type(name, args, says):
    with pytest.raises(UsageError, match=says):
        question(name, args)


def test_every_question_has_a_method():
    assert all(callable(getattr(where, name)) for name in QUESTIONS)
