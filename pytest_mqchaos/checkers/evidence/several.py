"""Effects of one message in several sources, of which nobody said what each shows.

A table and an output topic may show two parts of one work; two databases may show the same work
done twice. It never guesses which.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.doubts import Doubt
from pytest_mqchaos.checkers.wording import listed, number
from pytest_mqchaos.history.index import Index


def several_doubts(index: Index) -> list[Doubt]:
    """The doubt that touches questions about how often something was done: effects of one message
    in several sources, and nobody said whether they are the same."""
    if not index.several:
        return []
    name, sources = next(iter(sorted(index.several.items())))
    return [
        Doubt(
            sentence=f"{number(len(index.several), 'message')} with effects in several sources "
            f"({name!r} in {listed(sources)}): parts of one work, or the same work twice?",
            missing="name what each source shows: a column part, chaos.effects.from_topic(name, "
            "part=...), record(id, part=...); the same name where it is the same work",
        )
    ]
