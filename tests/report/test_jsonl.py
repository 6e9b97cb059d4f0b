import json

from pytest_mqchaos.report import jsonl
from tests.report import runs


def rows(history, **options):
    return [json.loads(line) for line in jsonl.lines(history, **options)]


def test_the_first_line_is_the_run_and_the_rest_is_in_order_of_time():
    history = runs.lost().history(gaps=("g",), limits=("l",), links={1: "publisher"})
    first, *rest = rows(history)
    assert (first["row"], first["gaps"], first["limits"]) == ("run", ["g"], ["l"])
    assert first["links"] == {"1": "publisher"}
    assert first["flow"]["inputs"] == ["payments"]
    assert first["rules"][0]["fired"] == 1
    kinds = [row["row"] for row in rest]
    assert kinds[-4:] == ["stored", "stored", "stored", "place"]
    timed = [row.get("t") or row.get("t_to") for row in rest[:-4]]
    assert timed == sorted(timed)
    assert len(rest) == 3 + 3 + 3 + 3 + 2 + 1 + 3 + 1


def test_rows_keep_every_field_and_payloads_are_text_or_hex():
    run = runs.Run()
    run.attempt(1, "m", end=2, offset=0, value=b"\xff")
    run.effect(None, "m", amount={"token": "x", "n": 1})
    _, attempt, effect = rows(run.history())
    assert (attempt["row"], attempt["id"], attempt["key"]) == ("attempt", "m", "acct-1")
    assert attempt["value"] == {"hex": "ff"}
    assert attempt["content"] == b"m".hex()
    assert effect["value"] == {"token": "<hidden>", "n": 1}


def test_payloads_can_be_hidden():
    text = "\n".join(jsonl.lines(runs.lost().history(), payloads="hash"))
    assert "acct-1" not in text
    assert "amount" not in text
    assert "pay-2" in text


def test_headers_are_payloads_too_and_secrets_by_their_name():
    run = runs.Run()
    run.attempt(1, "m")
    row = run.rows["attempts"][0]._replace(headers=(("auth-token", b"x"), ("n", b"1"), ("z", None)))
    history = run.history(attempts=(row,))
    assert rows(history)[1]["headers"] == [["auth-token", "<hidden>"], ["n", "1"], ["z", None]]
    hidden = rows(history, payloads="hash")[1]["headers"]
    assert hidden[0][1] == "<hidden>"
    assert hidden[1][1].endswith("1 bytes>")
