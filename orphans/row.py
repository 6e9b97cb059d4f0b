"""What came of one kill."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`left`: what was still there at the limit, in words; `untrue`: what was wrong with the output
    or the end of pytest; `seconds`: from the kill until nothing was left; `ended`: until pytest
    itself had ended."""

    kind: str
    scenario: str
    stage: str
    moment: float
    seconds: float
    ended: float
    status: int | None
    left: tuple[str, ...] = ()
    untrue: tuple[str, ...] = ()
    folder: str = ""

    @property
    def bad(self) -> bool:
        """Whether anything was left, or untrue."""
        return bool(self.left or self.untrue)

    def sentence(self) -> str:
        """For a person who is to look into it."""
        what = "; ".join((*self.left, *self.untrue))
        return (
            f"{self.kind} of {self.scenario} at {self.moment:.2f} s ({self.stage}), status "
            f"{self.status}: {what}; see {self.folder}"
        )

    def as_json(self) -> dict[str, Any]:
        """For the file of rows."""
        return asdict(self)
