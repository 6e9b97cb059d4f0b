"""The table of reactions as a page: what was expected, what each broker's clients showed, and why
where it differs. It knows words and Markdown, never how a row was run."""

from __future__ import annotations

from pathlib import Path

from tests.live.reactions.case import EMBEDDED, REAL

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "client-reactions.md"

MADE = "<!-- Made by running: python -m tests.live.reactions. Run it again, do not edit. -->"
HEAD = """# What clients do when a fault is caused

Each row is one rule, as you would write it, on the links of this plugin; real clients; and what
followed: what the application was told, what the broker's log holds (read back directly), what was
handed out again. **expected** was measured beforehand, on Apache Kafka 4.3.1 through a proxy made
for that purpose only; so the page says too that the plugin's rules cause what that proxy caused.

`=` is exactly what was expected. *same*: so on every broker. *chance*: another outcome, which the
row takes for the same consequence, and why. *different*: one that it does not. `-`: not there.

Waiting is told as a class, never in seconds. *At once*: sooner than the client's own time-out (in
consumers: its session time-out). Time-outs are shortened, but where a row says *own*.
A log is told as the numbers of its messages in their order (`1..3 3..10` holds message 3 twice),
or by its shape where chance decides how far a request is overtaken. *plain* is a producer without
idempotence and with acks=all, *idempotent* one with it; *not real* is a forged answer.
"""
TITLES = {
    "1.1": "Producer, one message at a time, fault at the third",
    "1.2": "Producer, several requests in flight, fault at the third",
    "2": "Consumer, a commit after every message",
    "15": "Killed between work and commit",
    "16": "Auto-commit, killed during work",
    "3": "Transactions: consume, produce, send offsets, commit; fault in the second",
}


def cell(text):
    """Text that may stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def verdict(case, outcomes):
    """Same, chance or different over all brokers that it ran on, and why."""
    every = [one for seen in outcomes.values() for one in seen]
    if not every:
        word = "not run"
    elif any(one not in case.expected for one in every):
        word = "**different**"
    else:
        word = "same" if set(every) == {case.expected[0]} else "chance"
    return f"{word}: {case.why}" if case.why else word


def shown(case, kind, outcomes):
    """What was seen on one broker."""
    if kind not in case.brokers:
        return "-"
    seen = outcomes.get(kind, ())
    return "<br>".join("=" if one == case.expected[0] else cell(one) for one in seen) or "not run"


def rows_of(section, rows):
    """The lines of a section's table; clients for which everything is the same share one."""
    lines = {}
    for case, outcomes in rows:
        if case.section == section:
            cells = (
                case.name, f"`{case.rule}`" if case.rule else "-", cell(case.expected[0]),
                shown(case, EMBEDDED, outcomes), shown(case, REAL, outcomes),
                cell(verdict(case, outcomes)),
            )  # fmt: skip
            lines.setdefault(cells, {}).setdefault(case.client, []).append(case.mode)
    return [
        f"| {name} | {_clients(clients)} | {' | '.join(rest)} |"
        for (name, *rest), clients in lines.items()
    ]


def _clients(modes):
    """`aiokafka, confluent: plain, idempotent` where the modes are the same, else one by one."""
    several = list(modes.values())
    if all(one == several[0] for one in several):
        words = ", ".join(modes)
        return f"{words}: {', '.join(several[0])}" if any(several[0]) else words
    return "; ".join(f"{client}: {', '.join(some)}" for client, some in modes.items())


def tally(rows):
    """How many rows there are and how many agree."""
    agree = {
        kind: sum(
            bool(o.get(kind)) and all(one in case.expected for one in o[kind]) for case, o in rows
        )
        for kind in (EMBEDDED, REAL)
    }
    ran = {kind: sum(bool(o.get(kind)) for _, o in rows) for kind in (EMBEDDED, REAL)}
    return (
        f"{len(rows)} rows. As expected on the embedded cluster: {agree[EMBEDDED]} of "
        f"{ran[EMBEDDED]} that ran; on real Kafka: {agree[REAL]} of {ran[REAL]}."
    )


def page(rows, versions, beyond):
    """The whole page. `rows`: (case, {broker kind: outcomes}); `beyond`: (row, reason, rule)."""
    lines = [MADE, "", HEAD, f"Made with {versions}.", "", tally(rows), ""]
    for section, title in TITLES.items():
        these = rows_of(section, rows)
        if these:
            lines += [f"## {section} {title}", "", _HEADINGS, _RULER, *these, ""]
    lines += [
        "## What no rule says",
        "",
        _BEYOND,
        "| measured before | why there is no such rule |",
    ]
    lines += ["| --- | --- |", *(f"| {cell(what)} | {cell(why)} |" for what, why in beyond), ""]
    return "\n".join(lines)


_HEADINGS = "| case | client | rule | expected | embedded | real Kafka | |"
_RULER = "| --- | --- | --- | --- | --- | --- | --- |"
_BEYOND = (
    "A fault that no real execution shows, or a part of it that the plugin does differently on "
    "purpose.\n"
)
