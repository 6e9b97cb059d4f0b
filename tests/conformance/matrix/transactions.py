"""What is asked of transactions: what was aborted is in the log, and nobody who asks for committed
messages is given it."""

from __future__ import annotations

from tests.conformance.matrix.consumers import ids, reading, take

STEPS = [
    ("commit", ["c1", "c2"]),
    ("abort", ["x1", "x2"]),
    ("commit", ["c3"]),
    ("abort", ["x3"]),
    ("commit", ["c4"]),
]
ALL = [one for _, some in STEPS for one in some]
COMMITTED = [one for one in ALL if one.startswith("c")]


def transactional_produce(seen, client):
    client.transact(seen.servers, seen.topic, f"id-{seen.topic}", STEPS)
    history = seen.chaos.history
    assert seen.attempts == [(one, True, "confirmed") for one in ALL]
    assert {row.transactional_id for row in history.attempts} == {f"id-{seen.topic}"}
    assert seen.stored == COMMITTED
    direct = seen.chaos.host.side.direct
    ((_, end),) = direct.ends([seen.topic]).values()
    everything = direct.read(seen.topic, 0, 0, end, committed=False)
    assert [record.value.decode() for record in everything] == ALL
    assert end == len(ALL) + len(STEPS)  # each ends with a marker


def read_committed(seen, client):
    client.transact(seen.servers, seen.topic, f"id-{seen.topic}", STEPS)
    with reading(seen, client, f"{seen.group}-all") as reader:
        everything = take(reader, len(ALL))
        assert ids(everything) == ALL
    with reading(seen, client, committed=True) as reader:
        assert take(reader, len(COMMITTED)) == [one for one in everything if one.id in COMMITTED]
        assert reader.look(1) == []
    assert sorted(seen.delivered) == sorted(ALL + COMMITTED)
