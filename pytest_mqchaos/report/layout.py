"""Lines of a report: its width, its headings, its wrapping. It knows no verdict."""

from __future__ import annotations

import textwrap

WIDTH = 100  # columns
INDENT = "  "


def heading(*words: str) -> str:
    """`── words ─────` over the whole width."""
    title = f"── {' · '.join(word for word in words if word)} "
    return title + "─" * max(WIDTH - len(title), 2)


def wrapped(text: str, *, first: str = "", rest: str | None = None) -> list[str]:
    """One paragraph in lines of at most 100 columns; `rest` indents the second line and on."""
    behind = " " * len(first) if rest is None else rest
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=behind,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def labelled(label: str, text: str) -> list[str]:
    """`  fix      text`, wrapped under itself."""
    return wrapped(text, first=f"{INDENT}{label:<9}")


def times(count: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`, `11th`."""
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
