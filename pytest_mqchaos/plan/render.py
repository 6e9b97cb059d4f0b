"""The legality tables and the profiles as Markdown: pure text, no file is touched here."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.legality import TABLES
from pytest_mqchaos.plan.profile import Profile
from pytest_mqchaos.plan.profiles import BUNDLES, PROFILES
from pytest_mqchaos.plan.table import Row, Table

_MADE = "<!-- Made from the code by docs/generate_reference.py; change the code, not this page. -->"

_PITFALLS = "../pitfalls.md"

_INTRODUCTION = (
    "Every fault at every point, what it does, and what does the same in the real world. A "
    "combination that is not here is refused with an error, not guessed."
)


def pages() -> dict[str, str]:
    """Every generated page: its path below docs/reference -> its text."""
    made: dict[str, str] = {}
    for protocol, table in TABLES.items():
        made[f"legality-{protocol}.md"] = legality_page(table)
        made[f"profiles/{protocol}.md"] = profiles_page(protocol)
        for profile in PROFILES[protocol].values():
            page = f"{_MADE}\n\n{profile_page(profile)}"
            made[f"profiles/{protocol}-{profile.name}.md"] = page
    return made


def grid(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    names = list(head)
    lines = [names, ["---"] * len(names), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def legality_page(table: Table) -> str:
    """What one protocol allows, point by point."""
    verbs = list(dict.fromkeys(row.fault for row in table.rows))
    may = {(row.point, row.fault) for row in table.rows}
    overview = grid(
        ["fault", *map(str, Point)],
        ([f"`{verb}`", *("yes" if (p, verb) in may else "" for p in Point)] for verb in verbs),
    )
    parts = [
        _MADE,
        f"# What may go wrong: {table.title}",
        _INTRODUCTION,
        overview,
    ]
    for point in Point:
        parts.append(f"## {point}\nRequests: {', '.join(table.apis[point])}.")
        parts += [_row(row) for row in table.rows if row.point == point]
    return "\n\n".join([*parts, _refusals(table)]) + "\n"


def _row(row: Row) -> str:
    lines = [
        f"### `on.{row.point}(...).{row.fault}(...)`",
        row.what,
        "",
        f"* In the real world: {row.cause}",
        f"* Leads to: {row.consequence}",
        f"* Survives: {row.survives}",
        f"* A fair test of: {_fair(row.fair_to)}",
        f"* Reference: {row.reference}",
    ]
    lines += [f"* Only at: {', '.join((*row.apis, *row.also))}"] if row.apis else []
    lines += [f"* Needs a broker that is: {', '.join(row.needs)}"] if row.needs else []
    lines += ["* Forged: it takes `forge=True`, and the report says so."] if row.forged else []
    return "\n".join(lines)


def _refusals(table: Table) -> str:
    answered = grid(
        ["point", "request", "error", "cause"],
        (
            [
                str(item.point),
                ", ".join(item.apis or table.apis[item.point]),
                f"{item.name} ({item.code})" + (", the usual one" if item.default else ""),
                item.cause + (" (the request is stored all the same)" if item.stored else ""),
            ]
            for item in table.refusals
        ),
    )
    caused = grid(
        ["error", "cause it with"],
        ([f"{name} ({code})", instead] for code, (name, instead) in sorted(table.caused.items())),
    )
    return (
        "## Errors that `refuse` may answer\n\n" + answered + "\n\n"
        "## Errors that are caused, not answered\n\nThey carry state of the broker. Answered by a "
        "link, the broker would not know, and what follows would be no real execution.\n\n"
        + caused
    )  # fmt: skip


def profiles_page(protocol: str) -> str:
    """All profiles of a protocol on one page, and its bundles."""
    known = PROFILES[protocol]
    bundles = grid(
        ["bundle", "profiles"],
        ([f"`{name}`", ", ".join(f"`{item}`" for item in BUNDLES[protocol][name])]
         for name in BUNDLES[protocol]),
    )  # fmt: skip
    singles = grid(
        ["profile", "what goes wrong", "fair to", f"[pitfalls]({_PITFALLS})", "needs"],
        (
            [
                f"[`{name}`]({protocol}-{name}.md)",
                item.title,
                _fair(item.fair_to),
                ", ".join(item.covers),
                ", ".join(item.needs),
            ]
            for name, item in known.items()
        ),
    )
    title = TABLES[protocol].title
    return f"{_MADE}\n\n# Profiles: {title}\n\n{singles}\n\n## Bundles\n\n{bundles}\n"


def profile_page(profile: Profile) -> str:
    """One profile: its plan, its cause, what passes and what fails under it."""
    table = TABLES[profile.protocol]
    needs = f"\n\nIt needs a broker that is {', '.join(profile.needs)}." if profile.needs else ""
    return (
        f"# {profile.name}\n\n{profile.title} ({table.title}). A fair test of: "
        f"{_fair(profile.fair_to)}.{needs}\n\n```python\n{profile.plan().source()}\n```\n\n"
        "Positions are the earliest that can serve; a clean run of the same test may choose "
        "others.\n\n## What happens\n\n"
        + "\n\n".join(row.what for row in profile.rows)
        + f"\n\nIn the real world: {profile.cause}\n\n## What it leads to\n\n{profile.consequence}"
        f"\n\n## What passes\n\n{profile.passes}\n\n## What fails\n\n{profile.fails}\n\n"
        f"Pitfalls it provokes ([what the numbers mean]({_PITFALLS})): "
        f"{', '.join(profile.covers)}.\n"
    )


def _fair(fair_to: str) -> str:
    return "producers and consumers" if fair_to == "both" else f"{fair_to}s"
