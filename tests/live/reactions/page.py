"""The table of reactions as a page: what was expected, what each broker's clients showed, and why
where it differs. It knows words and Markdown, never how a row was run."""

from __future__ import annotations

from tests.live.reactions.case import EMBEDDED, REAL

MADE = "<!-- Made by running: python -m tests.live.reactions. Run it again, do not edit. -->"
HEAD = """# What clients do when a fault is caused

Each row is one rule, as you would write it, on the links of this plugin; a real client; and what
followed: what the application was told, what the broker's log holds (read back directly), what was
handed out again. **expected** is what was measured beforehand on Apache Kafka 4.3.1 through a
proxy made for that purpose only, so this page also says that the plugin's rules cause the same.
`=` is exactly that. Waiting is told as a class, never in seconds: *at once* is sooner than the
client's own time-out. Where several consequences count as the same (chance decides how far a
request is overtaken) they are told by their shape.

Read a log as the numbers of its messages in their order: `1..3 3..10` holds message 3 twice.
*plain* is a producer without idempotence and with acks=all, *idempotent* one with it.
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
    """Same or different over all brokers that it ran on, and why."""
    ran = {kind: seen for kind, seen in outcomes.items() if seen}
    every = [one for seen in ran.values() for one in seen]
    same = all(one in case.expected for one in every)
    words = ["same" if same else "**different**"] if every else ["not run"]
    if EMBEDDED not in case.brokers:
        words.append("needs a real broker")
    return ": ".join([", ".join(words), *([case.why] if case.why else [])])


def shown(case, kind, outcomes):
    """What was seen on one broker."""
    if kind not in case.brokers:
        return "-"
    seen = outcomes.get(kind, ())
    return "<br>".join("=" if one == case.expected[0] else cell(one) for one in seen) or "not run"


def row(case, outcomes):
    """One line of a section's table."""
    cells = [
        case.name, f"{case.client} {case.mode}".strip(), f"`{case.rule}`" if case.rule else "-",
        cell(case.expected[0]), shown(case, EMBEDDED, outcomes), shown(case, REAL, outcomes),
        cell(verdict(case, outcomes)),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


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
        these = [row(case, outcomes) for case, outcomes in rows if case.section == section]
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
