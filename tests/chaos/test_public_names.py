"""What `import pytest_mqchaos` offers is there."""

import pytest

import pytest_mqchaos


@pytest.mark.parametrize("name", pytest_mqchaos.__all__)
def test_every_public_name_can_be_had_and_is_documented(name):
    found = getattr(pytest_mqchaos, name)
    assert found.__doc__ or type(found).__doc__
    assert name in dir(pytest_mqchaos)


def test_names_and_homes_agree():
    assert set(pytest_mqchaos.__all__) == set(pytest_mqchaos._HOMES)
    assert list(pytest_mqchaos.__all__) == sorted(pytest_mqchaos.__all__)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Choas'"):
        pytest_mqchaos.Choas  # noqa: B018
