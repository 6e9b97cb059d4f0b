"""@pytest.mark.mqchaos: profiles become parameters, mistakes become collection errors."""

import pytest


def collection_error(project, *arguments):
    """The one text of a run that collected nothing."""
    result = project.run(*arguments)
    result.assert_outcomes(errors=1)
    text = result.stdout.str()
    assert "Traceback" not in text
    assert "guest/marks.py" not in text
    return text


def test_each_profile_is_a_run_of_its_own(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("lost-confirm", "refused-publish")
        def test_pay(kafka_chaos):
            pass
    """)
    assert project.names() == ["test_pay[lost-confirm]", "test_pay[refused-publish]"]


def test_other_parameters_stay(project):
    project.test("""
        import pytest

        @pytest.mark.parametrize("size", [1, 2])
        @pytest.mark.mqchaos("lost-confirm")
        def test_pay(kafka_chaos, size):
            pass
    """)
    assert project.names() == ["test_pay[lost-confirm-1]", "test_pay[lost-confirm-2]"]


def test_a_bundle_is_its_profiles_each_once(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("quick", "lost-confirm")
        def test_pay(kafka_chaos):
            pass
    """)
    names = project.names()
    assert len(names) == len(set(names)) > 2
    assert "test_pay[lost-confirm]" in names


def test_profiles_of_all_marks_join_and_the_nearest_id_and_key_win(project):
    project.test("""
        import pytest

        pytestmark = pytest.mark.mqchaos("refused-publish", id="value", own_assertions=True)

        @pytest.mark.mqchaos("lost-confirm", key="json:/account")
        class TestPay:
            @pytest.mark.mqchaos(id="key")
            def test_it(self, kafka_chaos):
                assert kafka_chaos.identity.spec() == "key"
                assert kafka_chaos.key == "json:/account"
                assert kafka_chaos.own_assertions
                kafka_chaos.topic("t")
                kafka_chaos.publish("t", [{"value": b"1", "key": b"k"}])
    """)
    result = project.run()
    result.assert_outcomes(passed=2)
    assert project.names() == [
        "TestPay::test_it[lost-confirm]",
        "TestPay::test_it[refused-publish]",
    ]


def test_an_unknown_profile_names_the_nearest(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("lost-confrim")
        def test_pay(kafka_chaos):
            pass
    """)
    text = collection_error(project)
    assert "test_it.py::test_pay: unknown kafka profile 'lost-confrim'" in text
    assert "Did you mean 'lost-confirm'" in text
    told, _, _ = text.partition("short test summary")  # in CI that has the whole line again
    assert told.count("lost-confrim'") == 1


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ('ids="key"', ["unknown argument of @pytest.mark.mqchaos 'ids'", "Did you mean 'id'"]),
        ('id="jsn:/x"', ["unknown id 'jsn:/x'", "json:/pointer"]),
        ('key="jsn:/x"', ["unknown id 'jsn:/x'", "json:/pointer"]),
        ('own_assertions="yes"', ["own_assertions='yes'", "True or False"]),
        ("3", ["mqchaos(3)", "by its name", "chaos.arm"]),
    ],
)
def test_a_wrong_argument_is_a_collection_error(project, mark, words):
    project.test(f"""
        import pytest

        @pytest.mark.mqchaos({mark})
        def test_pay(kafka_chaos):
            pass
    """)
    text = collection_error(project)
    assert "test_it.py::test_pay: " in text
    for word in words:
        assert word in text


def test_a_mark_without_a_chaos_fixture_would_do_nothing(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("lost-confirm")
        def test_pay(tmp_path):
            pass
    """)
    text = collection_error(project)
    assert "test_it.py::test_pay: is marked with mqchaos but uses no chaos fixture" in text
    assert "kafka_chaos" in text


def test_a_mark_of_a_class_leaves_tests_without_chaos_alone(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("lost-confirm")
        class TestPay:
            def test_with(self, kafka_chaos):
                pass

            def test_without(self):
                pass
    """)
    assert project.names() == ["TestPay::test_with[lost-confirm]", "TestPay::test_without"]


def test_a_fixture_of_the_users_own_may_stand_between(project):
    project.test("""
        import pytest

        @pytest.fixture
        def orders(kafka_chaos):
            return kafka_chaos.topic("orders")

        @pytest.mark.mqchaos("lost-confirm")
        def test_pay(orders):
            pass
    """)
    assert project.names() == ["test_pay[lost-confirm]"]


def test_own_assertions_are_a_question(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos("lost-confirm", own_assertions=True)
        def test_pay(kafka_chaos):
            kafka_chaos.topic("t")
            (receipt,) = kafka_chaos.publish("t", ["a"])
            assert receipt.offset == 1  # the second copy is what the client was told of
    """)
    project.run().assert_outcomes(passed=1)


def test_key_is_the_default_of_by(project):
    project.test("""
        import pytest

        @pytest.mark.mqchaos(id="json:/id", key="json:/account")
        def test_pay(kafka_chaos):
            chaos = kafka_chaos
            chaos.topic("t")
            chaos.publish("t", [{"value": b'{"id": 1, "account": "a"}', "key": b"x"},
                                {"value": b'{"id": 2, "account": "b"}', "key": b"x"}])
            chaos.effects.record("2")
            chaos.effects.record("1")
            assert chaos.check("ordered", by="key").status == "failed"   # one key: out of order
            assert chaos.check("ordered").status != "failed"             # two accounts
    """)
    project.run().assert_outcomes(passed=1)


BROKER_PROFILE = """
    import pytest

    @pytest.mark.mqchaos("broker-kill"{may_skip})
    def test_pay(kafka_chaos):
        pass
"""


@pytest.fixture
def bare(monkeypatch):
    """A broker that can be paused, and nothing else."""
    monkeypatch.setattr(
        "pytest_mqchaos.chaos.host.ChaosBroker.abilities", ("Pausable", "Clustered")
    )


@pytest.mark.usefixtures("bare")
def test_a_profile_that_this_broker_cannot_do_says_so(project):
    project.test(BROKER_PROFILE.format(may_skip=""))
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*NOT APPLICABLE: broker-kill needs a broker that is Killable*"])
    assert "may_skip=True" in result.stdout.str()


@pytest.mark.usefixtures("bare")
def test_may_skip_makes_it_a_skip(project):
    project.test(BROKER_PROFILE.format(may_skip=", may_skip=True"))
    result = project.run("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*NOT APPLICABLE: broker-kill*--mqchaos-broker=embedded*"])


NEVER_IN_FLIGHT = """
    import pytest

    @pytest.mark.mqchaos("reordered-publish"{may_skip})
    def test_pay(kafka_chaos):
        PUBLISH
"""


def test_a_profile_that_cannot_act_on_this_client_fails_with_the_observed_reason(project):
    project.test(NEVER_IN_FLIGHT.format(may_skip=""))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["NOT APPLICABLE: reordered-publish: *"])


def test_or_is_skipped_with_it_where_the_mark_allows_that(project):
    project.test(NEVER_IN_FLIGHT.format(may_skip=", may_skip=True"))
    result = project.run("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*NOT APPLICABLE: reordered-publish: *"])


def test_the_mark_is_registered(project):
    result = project.run("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.mqchaos(*profiles*"])


CLUSTER = """
    import pytest

    @pytest.mark.mqchaos("leader-kill", "lost-confirm"{nodes}, own_assertions=True, may_skip=True)
    def test_pay(kafka_chaos):
        print("nodes", kafka_chaos.nodes, len(kafka_chaos.bootstrap_servers.split(",")))
"""


@pytest.mark.parametrize(
    ("mark", "arguments", "nodes"),
    [
        ("", (), (3, 1)),
        (", nodes=5", (), (5, 5)),
        (", nodes=1", (), (3, 1)),
        (", nodes=5", ("--mqchaos-nodes=2",), (2, 2)),
    ],
)
def test_how_many_nodes_a_run_has(project, mark, arguments, nodes):
    project.test(CLUSTER.format(nodes=mark))
    shown = project.run("-s", *arguments).stdout.lines
    found = [line[line.index("nodes ") :] for line in shown if "nodes " in line]
    assert [line.split()[:3] for line in found] == [["nodes", str(n), str(n)] for n in nodes]


def test_a_number_of_nodes_that_cannot_be_is_a_collection_error(project):
    project.test(CLUSTER.format(nodes=", nodes=10"))
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*mqchaos(nodes=10): must be a whole number from 1 to 9*"])
