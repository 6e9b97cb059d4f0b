"""Which of the many: the default run asks one client where all are expected to agree."""

import pytest

WIDE = {  # module -> clients that `make live` asks on top
    "test_control": ("confluent", "kafka-python"),
    "test_dark": ("confluent", "kafka-python"),
    "test_leaders": ("confluent", "kafka-python", "power", "pause", "restart", "follower"),
    "test_broken_brokers": ("aiokafka", "kafka-python", "deliver-", "control-"),
    "test_transactions": ("confluent", "kafka-python"),
}


def is_wide(item):
    words = item.name.partition("[")[2]
    return any(client in words for client in WIDE.get(item.path.stem, ()))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if "conformance" in item.path.parts and is_wide(item):
            item.add_marker(pytest.mark.wide)
