"""Which partition stands for a group: numbers that Java gives."""

import pytest

from pytest_mqchaos.wire.kafka.coordinators import partition_of


@pytest.mark.parametrize(
    ("key", "java"),
    [("", 0), ("a", 97), ("hello", 99162322), ("consumer-group-1", 147483020),
     ("billing", 109829509), ("inventory", 2020599460), ("polygenelubricants", 0),
     ("\U0001f600", 1772899)],
)  # fmt: skip
def test_it_is_the_hash_of_the_jvm_without_its_sign(key, java):
    """ "billing" and "inventory" hash to negative numbers, `polygenelubricants`
    to the smallest integer, which has no positive twin."""
    assert partition_of(key, 2**31) == java


def test_the_partition_is_what_remains():
    assert partition_of("hello", 50) == 99162322 % 50
