"""The request is answered with an error. It knows no protocol and no error's meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """The request is answered with `error`: the protocol's own name or number, None for the usual
    one at that point. The legality table says which errors a link may answer."""

    verb: ClassVar[str] = "refuse"
    positional: ClassVar[tuple[str, ...]] = ("error",)
    error: str | int | None = None

    def __post_init__(self) -> None:
        given = self.error
        if given is None or (isinstance(given, str) and given):
            return
        if not isinstance(given, int) or isinstance(given, bool) or given == 0:
            raise UsageError(
                f".refuse(error={given!r}): an error is its name (a str), its number (an int other "
                "than 0, which means success), or None for the usual error at this point."
            )
