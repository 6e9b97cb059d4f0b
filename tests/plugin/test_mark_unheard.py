"""A mark whose profiles pytest cannot make runs of is refused: without them the test would be green
for ever. And a chaos that only the test's body asks for is judged like any other."""

from pytest_mqchaos import Plan, on

DYNAMIC = """
    import pytest

    @pytest.mark.mqchaos({profiles}id="value")
    class TestPay:
        def test_it(self, request):
            kafka_chaos = request.getfixturevalue("kafka_chaos")
            print("rules", len(kafka_chaos.armed), kafka_chaos.identity.spec())
            PUBLISH
"""
CASE = """
    import unittest
    import pytest

    @pytest.mark.mqchaos({profiles}id="value")
    class TestPay(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def chaos(self, kafka_chaos):
            self.chaos = kafka_chaos

        def test_it(self):
            kafka_chaos = self.chaos
            print("rules", len(kafka_chaos.armed), kafka_chaos.identity.spec())
            PUBLISH
"""


def test_a_chaos_that_is_asked_for_in_the_test_is_none_without_its_profiles(project):
    project.test(DYNAMIC.format(profiles='"lost-confirm", '))
    result = project.run()
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "the mark of this test asks for lost-confirm, but it would run without" in text
    assert "request.getfixturevalue" in text


def test_nor_is_one_of_a_unittest_case(project):
    project.test(CASE.format(profiles='"lost-confirm", '))
    result = project.run()
    result.assert_outcomes(errors=1)
    assert "asks for lost-confirm, but it would run without" in result.stdout.str()


def test_nor_where_the_command_line_names_them(project):
    project.test(DYNAMIC.format(profiles='"lost-confirm", '))
    result = project.run("--mqchaos-profile=refused-publish")
    result.assert_outcomes(failed=1)
    assert "asks for refused-publish, but it would run without" in result.stdout.str()


def test_nor_where_the_mark_has_an_id_alone(project):
    project.test(DYNAMIC.format(profiles=""))
    result = project.run("--mqchaos-profile=refused-publish")
    result.assert_outcomes(failed=1)


def test_what_the_body_asks_for_is_judged_at_its_end(project):
    project.test("""
        from pytest_mqchaos import on

        def test_asks_nothing(request):
            kafka_chaos = request.getfixturevalue("kafka_chaos")
            kafka_chaos.topic("t")
            kafka_chaos.publish("t", ["a"])

        def test_never_fires(request):
            kafka_chaos = request.getfixturevalue("kafka_chaos")
            kafka_chaos.arm(on.publish(topic="other").drop())
            PUBLISH
    """)
    result = project.run()
    result.assert_outcomes(failed=2)
    text = result.stdout.str()
    assert "no verdict was asked" in text
    assert "1 of 1 rule never took effect" in text


def test_without_profiles_its_other_words_hold(project):
    for source in (DYNAMIC, CASE):
        project.test(source.format(profiles=""))
        result = project.run("-s")
        result.assert_outcomes(passed=1)
        assert "rules 0 value" in result.stdout.str()


def test_a_plan_of_the_command_line_is_brought_all_the_same(project):
    plan = Plan(on.confirm(nth=1).delay(0.01))
    for source in (DYNAMIC, CASE):
        project.test(source.format(profiles=""))
        result = project.run("-s", f"--mqchaos-plan={plan.token}")
        result.assert_outcomes(passed=1)
        assert "rules 1 value" in result.stdout.str()
