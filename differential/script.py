"""What was found, kept: a conversation, why it is kept, and Apache Kafka's own answers to it.

The folder `scripts` has one JSON file for each. The default tests play them on the embedded cluster
and want Kafka's answers; a live test asks Kafka again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from differential.conversation import Conversation
from differential.players import Answer

FOLDER = Path(__file__).parent / "scripts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """`why`: what once was different, in a sentence. `kafka`: the version that answered."""

    why: str
    kafka: str
    conversation: Conversation
    answers: Sequence[Answer]

    def save(self, name: str) -> Path:
        """Write it as `scripts/<name>.json`."""
        data = {
            "why": self.why,
            "kafka": self.kafka,
            **self.conversation.to_json(),
            "answers": [answer.what for answer in self.answers],
            "after": [answer.after for answer in self.answers],
        }
        path = FOLDER / f"{name}.json"
        path.write_text(_text(data) + "\n", encoding="utf-8")
        return path


def load(path: Path) -> Script:
    """Read one file back."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return Script(
        why=data["why"],
        kafka=data["kafka"],
        conversation=Conversation.from_json(data),
        answers=[
            Answer(after, what) for after, what in zip(data["after"], data["answers"], strict=True)
        ],
    )


def every() -> list[Path]:
    """All that are kept, by name."""
    return sorted(FOLDER.glob("*.json"))


def _text(data: dict[str, Any]) -> str:
    """JSON with one line for each step and each answer."""
    lines = []
    for name, value in data.items():
        if name in ("steps", "answers"):
            rows = ",\n".join(f"    {json.dumps(row)}" for row in value)
            lines.append(f'  "{name}": [\n{rows}\n  ]')
        else:
            lines.append(f'  "{name}": {json.dumps(value)}')
    return "{\n" + ",\n".join(lines) + "\n}"
