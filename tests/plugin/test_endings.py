"""What the end of a test says: failures of the call phase, in our words alone."""

import pytest


def told(project, *arguments):
    """The output of a run, and that nothing of our own code is in it."""
    result = project.run("--show-capture=no", *arguments)
    text = result.stdout.str()
    assert "pytest_mqchaos/" not in text.replace("docs/", "")
    return result, text


def test_a_failed_verdict_is_its_sentence_its_place_and_its_evidence(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("lost-confirm")
        def test_it(kafka_chaos):
            PUBLISH
    """)
    result, _ = told(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "no_copies failed: 1 of 2 *",
            "  test_it.py:5",
            "  published 2 * stored 3 *",
            "*rule 1*on.confirm(nth=1).drop()",
            '  replay   pytest "test_it.py::test_it" --mqchaos-plan=mq1.*',
            "  history  .mqchaos/last/*/history.jsonl",
            "FAILED test_it.py::test_it?lost-confirm? - no_copies failed: *",
        ]
    )


SILENT = {
    "1 of 1 rule never took effect*": (
        'chaos.arm(on.confirm(nth=9).drop()); chaos.topic("t"); chaos.publish("t", ["a"]); '
        "chaos.assert_no_copies()"
    ),
    "no verdict was asked*": 'chaos.topic("t"); chaos.publish("t", ["a"])',
    "nothing was observed: no client*": 'chaos.topic("t"); chaos.own_assertions = True',
}


@pytest.mark.parametrize(("sentence", "body"), SILENT.items())
def test_silence_is_a_failure_and_no_error(project, sentence, body):
    project.test(f"""
        from pytest_mqchaos import on

        def test_it(kafka_chaos):
            chaos = kafka_chaos
            {body}
    """)
    result, _ = told(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([sentence])


def test_a_worker_that_fails_before_any_fault_fails_the_test_with_its_exception(project):
    project.test("""
        async def broken(servers):
            raise LookupError("no such account")

        def test_it(kafka_chaos):
            kafka_chaos.topic("t")
            with kafka_chaos.worker(broken, kafka_chaos.bootstrap_servers):
                kafka_chaos.publish("t", ["a"])
                kafka_chaos.settle()
            kafka_chaos.assert_no_copies()
    """)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*raise LookupError*", "E *LookupError: no such account"])


def test_the_bodys_own_failure_stays_and_gains_a_section(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("lost-confirm")
        def test_it(kafka_chaos):
            kafka_chaos.topic("t")
            kafka_chaos.publish("t", ["a", "b"])
            assert 1 == 2
    """)
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *assert 1 == 2",
            "*- mqchaos -*",
            "published 2 * stored 3 *",
            "*took effect once",
            '  replay   pytest "test_it.py::test_it" --mqchaos-plan=*',
        ]
    )


def test_an_error_of_use_in_the_body_is_one_text_at_its_line(project):
    project.test("""
        from pytest_mqchaos import on

        def test_it(kafka_chaos):
            kafka_chaos.arm(on.confirm())
    """)
    result, text = told(project)
    result.assert_outcomes(failed=1)
    assert "UsageError: on.confirm() has no fault yet: add what goes wrong there" in text
    assert "test_it.py:4" in text


def test_skip_and_xfail_are_what_they_are(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("lost-confirm")
        def test_skip(kafka_chaos):
            pytest.skip("not today")

        @pytest.mark.xfail(strict=True)
        @pytest.mark.mqchaos("lost-confirm")
        def test_xfail(kafka_chaos):
            PUBLISH

        @pytest.mark.xfail(strict=True)
        def test_no_question(kafka_chaos):
            pass
    """)
    project.run().assert_outcomes(skipped=1, xfailed=2)


def test_each_test_has_its_own_end(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("lost-confirm")
        def test_bad(kafka_chaos):
            PUBLISH

        def test_good(kafka_chaos):
            assert not kafka_chaos.armed
            assert not kafka_chaos.history.attempts
            PUBLISH
    """)
    project.run().assert_outcomes(failed=1, passed=1)


def test_a_pass_is_one_line_and_its_limits_are_told_once(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("slow-confirm")
        def test_a(kafka_chaos):
            PUBLISH

        def test_b(kafka_chaos):
            PUBLISH
    """)
    result = project.run()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*- mqchaos -*",
            "test_a[[]slow-confirm]: slow-confirm: no_copies passed * 1 of 1 rules took effect *",
            "test_b: mqchaos: no_copies passed * no rule *",
            "What these passes do not cover:",
            "  the embedded broker stands for Kafka * (2 tests)",
        ]
    )
    assert result.stdout.str().count("embedded broker stands for") == 1
    assert "mqchaos" not in project.run("--no-summary", "-q").stdout.str()


def test_a_chaos_inside_another_is_refused_and_the_session_goes_on(project):
    project.test("""
        def test_two(kafka_chaos, kafka_chaos_broker):
            kafka_chaos_broker.chaos()

        def test_one_by_one(kafka_chaos_broker):
            for _ in range(2):
                with kafka_chaos_broker.chaos() as kafka_chaos:
                    PUBLISH
    """)
    result, text = told(project)
    result.assert_outcomes(failed=1, passed=1)
    assert "UsageError: the Chaos before this one has not ended" in text


def test_a_dead_data_plane_fails_the_test_at_once_and_says_so(project):
    project.test("""
        import os, signal

        def test_it(kafka_chaos):
            kafka_chaos.topic("t")
            os.kill(kafka_chaos.host.plane.pid, signal.SIGKILL)
            kafka_chaos.publish("t", ["a"] )
    """)
    result, text = told(project)
    result.assert_outcomes(failed=1)
    assert "DataPlaneDied: the data plane (pid" in text
    assert "Nothing that was observed can be trusted" in text


def test_a_failure_under_a_dead_data_plane_is_the_data_planes(project):
    project.test("""
        import os, signal

        def test_it(kafka_chaos):
            kafka_chaos.topic("t")
            os.kill(kafka_chaos.host.plane.pid, signal.SIGKILL)
            while kafka_chaos.host.plane.died is None:
                pass
            raise ConnectionError("my client is lost")
    """)
    result, text = told(project)
    result.assert_outcomes(failed=1)
    assert "DataPlaneDied: the data plane (pid" in text
