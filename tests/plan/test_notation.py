"""Plans from text: read, never run."""

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan.nth import every
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Plan
from pytest_mqchaos.plan.when import where


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("on.ack(nth=2).redeliver()", Plan(on.ack(nth=2).redeliver())),
        (
            "on.ack(nth=1).drop(), on.confirm(nth=range(2, 4)).delay(seconds=1)",
            Plan(on.ack(nth=1).drop(), on.confirm(nth=range(2, 4)).delay(1)),
        ),
        ("[on.ack().drop()]", Plan(on.ack().drop())),
        ("Plan(on.ack(nth=every(2)).drop(), seed=4)", Plan(on.ack(nth=every(2)).drop(), seed=4)),
        ("Plan()", Plan()),
        (
            "on.ack(when=where.header('a') | ~where.key(b'k')).refuse(-1, forge=True)",
            Plan(on.ack(when=where.header("a") | ~where.key(b"k")).refuse(-1, forge=True)),
        ),
    ],
)
def test_text_becomes_the_plan_it_shows(text, plan):
    assert Plan.from_text(text) == plan


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("on.ack(", "is no plan: .*Write rules as in a test"),
        ("on.ack()", "has no fault yet"),
        ("on.ack().drop", "cannot stand in a plan"),
        ("ack().drop()", "cannot stand in a plan"),
        ("on.ack(2).drop()", "cannot stand in a plan"),
        ("off.ack().drop()", "cannot stand in a plan"),
        ("on.ack(**{}).drop()", "cannot stand in a plan"),
        ("on.ack().drop(True)", r"\.drop\(\) takes 0 without a name"),
        ("on.confrim().drop()", "Did you mean 'confirm'"),
        ("on.ack().dorp()", "Did you mean 'drop'"),
        ("on.ack().delay()", r"\.delay\(\) needs seconds"),
        ("on.ack(nth=range('a')).drop()", "cannot stand in a plan"),
        ("on.ack(nth=range()).drop()", "cannot stand in a plan"),
        ("on.ack(nth=range(1, 3, 0)).drop()", r"'range\(1, 3, 0\)' cannot stand in a plan"),
        ("on.ack(nth=0).drop()", "nth=0"),
        ("on.ack(nth=range(3)).drop()", r"nth=range\(0, 3\): a range must count upwards, start at"),
        ("on.ack(when=where.heder('a')).drop()", "Did you mean 'where.header'"),
        ("Plan(on.ack().drop(), sead=1)", "unknown argument of Plan.. 'sead'. Did you mean 'seed'"),
        ("Plan(on.ack().drop(), seed=-1)", "seed=-1"),
    ],
)
def test_text_that_is_no_plan(text, says):
    with pytest.raises(UsageError, match=says):
        Plan.from_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('false')",
        "on.ack(topic=open('x')).drop()",
        "on.ack(topic=on.__class__).drop()",
        "on.ack(topic='a' + 'b').drop()",
        "on.ack(nth=every(step=2)).drop()",
        "on.ack(when=where.key(~'')).drop()",
        "on.ack(nth=~-3).drop()",
        "on.ack(nth=1 | 2).drop()",
        "on.ack(when='a' & where.key('b')).drop()",
        "on.ack(when=where.key('b') | 3).drop()",
        "on.ack(topic=f'{1}').drop()",
        "[x for x in (1,)]",
        "(lambda: 1)()",
    ],
)
def test_nothing_else_is_run(text):
    with pytest.raises(UsageError, match="cannot stand in a plan"):
        Plan.from_text(text)
