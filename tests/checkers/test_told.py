import pytest

from pytest_mqchaos.checkers.registry import QUESTIONS
from tests.checkers.told import PAGES, cases, told

ALL = [(page.stem, *case) for page in sorted(PAGES.glob("*.txt")) for case in cases(page)]


@pytest.mark.parametrize(("question", "source", "said"), ALL, ids=lambda _: "")
def test_the_verdict_is_told_word_for_word(question, source, said):
    assert told(source) == said


def test_every_question_has_its_page_with_each_status():
    for question in QUESTIONS:
        said = [text for page, _, text in ALL if page == question]
        for status in ("passed", "failed", "unknown"):
            assert any(text.startswith(f"{question} {status}: ") for text in said), question
