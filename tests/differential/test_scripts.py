"""What once differed does not any more: the embedded cluster gives Apache Kafka's own answers."""

import json

import pytest

from differential import embedded, script
from differential.compare import first

EVERY = script.every()


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_the_embedded_cluster_answers_as_kafka_did(path):
    kept = script.load(path)
    told = first(kept.conversation, embedded.play(kept.conversation), kept.answers)
    assert told is None, f"{told} ({kept.why})"


def test_a_script_is_kept_as_it_was_read(tmp_path, monkeypatch):
    path = EVERY[0]
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    kept = script.load(path)
    assert kept.save("again").read_text() == path.read_text()
    assert kept.why
    assert kept.kafka


def test_every_script_says_something_about_every_step():
    for path in EVERY:
        data = json.loads(path.read_text())
        assert len(data["steps"]) == len(data["answers"]) == len(data["after"]) > 0
        assert all(answer is not None for answer in data["answers"]), path.stem
