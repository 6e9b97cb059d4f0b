"""Each worker gets its own address wherever an argument contains the common one."""

import pytest

from pytest_mqchaos.chaos.address import Address, readdressed, replaced

OLD, NEW = "127.0.0.1:39201", "127.0.0.1:40000"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (OLD, NEW),
        (Address(OLD), NEW),
        (f"kafka://{OLD},{OLD}/?x=1", f"kafka://{NEW},{NEW}/?x=1"),
        (OLD.encode(), NEW.encode()),
        ([OLD, 3], [NEW, 3]),
        ((OLD, None), (NEW, None)),
        ({OLD}, {NEW}),
        (frozenset({OLD}), frozenset({NEW})),
        ({"bootstrap.servers": OLD, "n": 1}, {"bootstrap.servers": NEW, "n": 1}),
        ({"a": [{"b": (OLD,)}]}, {"a": [{"b": (NEW,)}]}),
    ],
)
def test_it_is_replaced_at_any_depth(given, expected):
    found = replaced(given, OLD, NEW)
    assert found == expected
    assert type(found) is (str if isinstance(given, Address) else type(given))


class Mine(dict):
    pass


@pytest.mark.parametrize(
    "given", ["other", b"other", ["x"], {"a": ["x"]}, ("x",), {"x"}, 3, None, Mine(a=OLD), object()]
)
def test_what_does_not_contain_it_stays_the_very_same_object(given):
    assert replaced(given, OLD, NEW) is given


def test_the_users_own_containers_are_not_changed():
    config = {"servers": [OLD]}
    replaced(config, OLD, NEW)
    assert config == {"servers": [OLD]}


def test_each_node_of_a_cluster_has_its_part():
    old = Address.of([("127.0.0.1", 39201), ("127.0.0.1", 39202)])
    new = Address.of([("127.0.0.1", 40001), ("127.0.0.1", 40002)])
    assert old == "127.0.0.1:39201,127.0.0.1:39202"
    assert readdressed({"servers": old, "first": old.split(",")[0]}, old, new) == {
        "servers": "127.0.0.1:40001,127.0.0.1:40002",
        "first": "127.0.0.1:40001",
    }
    assert readdressed(str(old).split(","), old, new) == new.split(",")
