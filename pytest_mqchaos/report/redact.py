"""What may be seen of a payload and of any other text: digests, cuts, and never a secret.

It knows names that sound like secrets and no message. A secret inside a message that is shown as a
whole cannot be told from its text alone, so a value is looked into as JSON first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from pytest_mqchaos.report.context import SECRETS, Context, Payloads

HIDDEN = "<hidden>"
_USERINFO = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_SHORTEST = 3  # characters; a shorter payload would be masked out of ordinary words


@lru_cache(maxsize=8)
def _behind(names: tuple[str, ...]) -> re.Pattern[str]:
    """Matches `name = value`, `name: value`, `"name": "value"`. A file called test_token.py:12 (or
    ::test) is no secret: behind a dotted name only `=` counts."""
    some = "|".join(re.escape(name).replace("_", "[_-]") for name in names)
    name = rf"[\w-]*(?:{some})[\w-]*"
    sign = r"(?:[\"']?\s*(?::(?!:)|=)|(?:\.[\w-]+)+[\"']?\s*=)\s*"
    value = r"(?:\"[^\"]*\"|'[^']*'|(?:(?:bearer|basic)\s+)?[^\s,;&)}}\"']+)"
    return re.compile(f"({name}{sign}){value}", re.IGNORECASE)


def cut(text: str, length: int) -> str:
    """At most `length` characters; what was cut is said by an ellipsis."""
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


def digest(data: bytes) -> str:
    """A name for bytes that must not be shown."""
    return f"<{blake2b(data, digest_size=4).hexdigest()}, {len(data)} bytes>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redactor:
    """How one report shows data. `names` are parts of names whose values are never shown."""

    payloads: Payloads = "show"
    names: tuple[str, ...] = SECRETS

    @classmethod
    def of(cls, context: Context) -> Redactor:
        """As a report's context asks."""
        return cls(payloads=context.payloads, names=context.secrets)

    def secret(self, name: object) -> bool:
        """Whether a header, field or option of this name may be shown."""
        low = str(name).lower().replace("-", "_")
        return any(each.lower().replace("-", "_") in low for each in self.names)

    def text(self, text: str) -> str:
        """Any text without passwords in addresses and without values behind a secret's name."""
        text = _USERINFO.sub(HIDDEN, text)
        if not self.names:
            return text
        return _behind(self.names).sub(rf"\1{HIDDEN}", text)

    def payload(self, data: bytes | None, *, length: int = 60) -> str:
        """One key or value: as text, cut, or as its digest."""
        if data is None:
            return "null"
        if self.payloads == "hash":
            return digest(data)
        try:
            shown = data.decode()
        except UnicodeDecodeError:
            return cut(repr(data), length)
        return cut(self._json(shown), length)

    def value(self, value: object, *, length: int = 60) -> str:
        """One value that an effect left behind."""
        if self.payloads == "hash":
            return digest(repr(value).encode())
        if isinstance(value, bytes):
            return self.payload(value, length=length)
        return cut(self._json(value) if isinstance(value, str) else self._plain(value), length)

    def mask(self, text: str, payloads: Iterable[bytes | None]) -> str:
        """A sentence of somebody else: secrets out, and payloads too if they are to be hidden."""
        if self.payloads == "hash":
            for data in sorted({each for each in payloads if each}, key=len, reverse=True):
                shown = data.decode(errors="backslashreplace")
                if len(shown) >= _SHORTEST:
                    text = text.replace(repr(data), digest(data)).replace(shown, digest(data))
        return self.text(text)

    def _json(self, shown: str) -> str:
        if shown[:1] not in "{[":
            return self.text(shown)
        try:
            found = json.loads(shown)
        except ValueError:
            return self.text(shown)
        clean = self.clean(found)
        return shown if clean == found else json.dumps(clean, ensure_ascii=False)

    def _plain(self, value: object) -> str:
        return self.text(str(self.clean(value)))

    def clean(self, node: object) -> object:
        """Plain data with the values behind secret names taken out."""
        if isinstance(node, dict):
            return {
                name: HIDDEN if self.secret(name) else self.clean(each)
                for name, each in node.items()
            }
        return [self.clean(each) for each in node] if isinstance(node, list) else node
