"""The reference page says what the registration table says."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_mqchaos.kafka_cluster.apis import APIS
from pytest_mqchaos.kafka_cluster.settings import Settings, shown

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "embedded-kafka.md"


def test_the_page_lists_exactly_the_served_apis_and_versions():
    told = re.findall(r"\| (\w+) \| (\d+)-(\d+) (?=\|)", PAGE.read_text())
    served = {(api.name, str(api.low), str(api.high)) for api in APIS.values()}
    assert set(told) == served


def test_the_page_names_every_setting():
    text = PAGE.read_text()
    assert [name for name in shown(Settings()) if f"`{name}`" not in text] == []
