"""What Hypothesis needs to draw the other arguments of a failing example again: its own words.

    @reproduce_failure('6.170.15', b'AAAB')  <-->  Given  <-->  mq1.<plan>.<word>

It knows what Hypothesis prints (`print_blob`) and its public decorator, by name only: Hypothesis is
imported when there is something to bring back. It must never know pytest.
"""

from __future__ import annotations

import ast
import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_mqchaos.errors import UsageError

_PRINTED = re.compile(r"""@reproduce_failure\(('[^']+'|"[^"]+"), (b'[^']*'|b"[^"]*")\)""")
_REPRODUCE = "_hypothesis_internal_use_reproduce_failure"  # where the decorator leaves it
_CRC = 4  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The drawn arguments of one example. `of`: a checksum of the test function's name, as they are
    of no use to any other; `version`: of Hypothesis; `blob`: as Hypothesis prints it."""

    of: int
    version: str
    blob: bytes

    @property
    def word(self) -> str:
        """Letters, digits, `-` and `_`, for a command line."""
        body = self.of.to_bytes(_CRC, "big") + self.version.encode() + b"\0"
        body += base64.b64decode(self.blob)
        return base64.urlsafe_b64encode(body).decode("ascii").rstrip("=")

    @staticmethod
    def from_word(word: str) -> Given:
        """The inverse of `word`. Raises UsageError for a broken one."""
        try:
            padded = word + "=" * (-len(word) % 4)
            body = base64.b64decode(padded, altchars=b"-_", validate=True)
            version, mark, blob = body[_CRC:].partition(b"\0")
            name = version.decode("ascii")
        except (binascii.Error, ValueError) as error:
            raise _broken(str(error)) from error
        if not (name and mark and blob):
            raise _broken("its end is missing")
        return Given(
            of=int.from_bytes(body[:_CRC], "big"), version=name, blob=base64.b64encode(blob)
        )


def printed(notes: Iterable[str], test: object) -> Given | None:
    """What Hypothesis has printed among these notes about an example of `test`."""
    for note in notes:
        found = _PRINTED.search(note)
        if found is not None:
            version, blob = ast.literal_eval(found[1]), ast.literal_eval(found[2])
            return Given(of=checksum(test), version=version, blob=blob)
    return None


def is_print(note: str) -> bool:
    """Whether a note is nothing but Hypothesis's word on how to reproduce."""
    return _PRINTED.search(note) is not None


def checksum(test: object) -> int:
    """What tells one test function from another, wherever it is imported from."""
    return zlib.crc32(str(getattr(test, "__qualname__", "")).encode())


@contextmanager
def brought(test: Callable[..., object], given: Given) -> Iterator[None]:
    """Within it a call of the `@given` test runs one example, the given one; that it passes is no
    error. Raises UsageError where the test does not draw such arguments any more."""
    import hypothesis
    from hypothesis.errors import DidNotReproduce, InvalidArgument

    before = getattr(test, _REPRODUCE, None)
    # Under its own version: choices mostly mean the same in the next one, and what does not fit is
    # noticed. Who is told FIXED has the same version (`same_version`).
    hypothesis.reproduce_failure(hypothesis.__version__, given.blob)(test)
    try:
        yield
    except DidNotReproduce as error:
        changed = judged(given, error)
        if changed is not None:
            raise changed from error
    except InvalidArgument as error:
        if same_version(given):
            raise
        raise _changed(given, error) from error
    finally:
        setattr(test, _REPRODUCE, before)


def judged(given: Given, error: BaseException) -> UsageError | None:
    """What it means that the example did not fail: None where it ran and passed."""
    return None if "completed successfully" in str(error) else _changed(given, error)


def same_version(given: Given) -> bool:
    """Whether this is the Hypothesis that has drawn it: only then a pass is a pass of the same."""
    import hypothesis

    return given.version == str(hypothesis.__version__)


def _broken(why: str) -> UsageError:
    return UsageError(
        f"what stands after the second dot of the token is broken ({why}): copy the whole word, "
        "from its 'mq' to its end, or leave that part out to run the plan with arguments that are "
        "drawn anew."
    )


def _changed(given: Given, error: BaseException) -> UsageError:
    import hypothesis

    here = hypothesis.__version__
    why = "the test has changed since" if same_version(given) else (
        f"they were drawn by Hypothesis {given.version} and this is {here}, or the test has "
        "changed since"
    )  # fmt: skip
    return UsageError(
        f"the drawn arguments of this failure cannot be brought back: {why} ({error}). To run its "
        "plan with arguments drawn anew, leave out what stands after the second dot of the token."
    )
