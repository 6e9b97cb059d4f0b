"""What the text of a query says: its words, what it selects from where, and how it is sorted.

It knows the SQL that all databases share and must never run any. What it does not understand it
leaves out: who asks takes that for "not known".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

_WORD = re.compile(
    r"\s+|--[^\n]*|/\*.*?\*/"
    r"|('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\W\d][^\]]*\]|\w+|.)",
    re.DOTALL,
)
# fmt: off
_CLAUSES = frozenset((
    "select", "from", "where", "group", "having", "order", "limit", "union", "intersect", "except",
    ";",
))
_PERHAPS = frozenset(("offset", "window", "fetch", "for"))  # clauses, unless a column is called so
_OPERATORS = frozenset((
    "and", "or", "not", "is", "like", "in", "between", "collate", "then", "else", "when", "escape",
    "glob", "over", "by", "select", "distinct", "all", "on", "as",
))
_COMPOUND = frozenset(("union", "intersect", "except"))
_JOINS = frozenset((
    "left", "right", "full", "inner", "outer", "cross", "natural", "on", "using",
))
# fmt: on


class Word(NamedTuple):
    """One word, number, string or sign of a query: where it stands, inside how many brackets."""

    text: str
    at: int
    depth: int

    @property
    def name(self) -> str:
        """The name that it may be, in lower case; "" for a number, a string, a sign."""
        if self.text[0] in '"`[' and len(self.text) > 1:
            return self.text[1:-1].lower()
        return self.text.lower() if self.text[0].isalpha() or self.text[0] == "_" else ""

    @property
    def low(self) -> str:
        """As it stands there, in lower case."""
        return self.text.lower()


Words = Sequence[Word]


class Item(NamedTuple):
    """What is selected, and under which name ("*" for all columns, "" if it has none)."""

    words: Words
    name: str

    @property
    def column(self) -> str:
        """The column that it is, "" if it is made of something."""
        plain = len(self.words) == 1 or (len(self.words) > 1 and self.words[-2].text == ".")
        return self.words[-1].name if plain else ""


class Source(NamedTuple):
    """One table of a FROM and what it is called there, or the words of a query in its place."""

    alias: str
    table: str
    query: Words = ()


class Named(NamedTuple):
    """A query with a name (WITH, a view); `columns` if it gives its columns other names."""

    columns: tuple[str, ...]
    query: Words


@dataclass(slots=True, kw_only=True)
class Select:
    """One SELECT. `end` is where its list ends."""

    items: list[Item]
    sources: list[Source] = field(default_factory=list)
    end: int = -1


@dataclass(slots=True, kw_only=True)
class Statement:
    """A whole query. `distinct`: rows that are alike in all columns are shown as one; `order`: the
    terms that it is sorted by."""

    names: Mapping[str, Named] = field(default_factory=dict)
    selects: list[Select] = field(default_factory=list)
    distinct: bool = False
    order: list[Words] = field(default_factory=list)


def words(text: str) -> list[Word]:
    """The words of a text, without its comments."""
    found, depth = [], 0
    for match in _WORD.finditer(text):
        if match[1] is None:
            continue
        depth -= match[1] == ")"
        found.append(Word(match[1], match.start(), depth))
        depth += match[1] == "("
    return found


def read(query: Words) -> Statement | None:
    """Understand a query; None if it is no SELECT."""
    made = Statement()
    for key, rest in _clauses(query):
        if key.low == "with":
            made.names = dict(_named(rest))
        elif key.low == "select":
            made.distinct |= bool(rest) and rest[0].low == "distinct"
            rest = rest[1:] if rest and rest[0].low in ("distinct", "all") else rest  # noqa: PLW2901
            made.selects.append(Select(items=[_item(one) for one in split(rest) if one]))
        elif not made.selects:
            return None
        elif key.low in _COMPOUND:
            made.distinct |= key.low != "union" or not rest or rest[0].low != "all"
        elif key.low == "from":
            made.selects[-1].sources = list(_sources(rest))
        elif key.low == "order":
            made.order = [one for one in split(rest[1:]) if one]
        if made.selects and made.selects[-1].end < 0 and key.low != "select":
            made.selects[-1].end = key.at
    return made if made.selects else None


def split(given: Words, at: str = ",") -> list[Words]:
    """The words between the commas that are inside no brackets."""
    found: list[list[Word]] = [[]]
    for word in given:
        if word.low == at and word.depth == given[0].depth:
            found.append([])
        else:
            found[-1].append(word)
    return list(found)


def inside(given: Words) -> list[Words]:
    """What stands in each of the outermost brackets."""
    found: list[list[Word]] = []
    for word in given:
        if word.depth > given[0].depth:
            found[-1].append(word)
        elif word.text == "(":
            found.append([])
    return list(found)


def _clauses(query: Words) -> Iterator[tuple[Word, Words]]:
    """Each keyword of a clause that is inside no brackets, with what follows it."""
    starts = [n for n in range(len(query)) if _begins(query, n)]
    for start, end in pairwise([*starts, len(query)]):
        yield query[start], query[start + 1 : end]


def _begins(query: Words, at: int) -> bool:
    word, before = query[at].low, query[at - 1].low if at else ""
    if query[at].depth != query[0].depth or before == ".":
        return False
    if word == "with":
        return at == 0
    if word in _PERHAPS:  # order by partition, offset
        return before not in _OPERATORS and (before[-1:].isalnum() or before[-1:] in "_)\"'`]")
    # `is distinct from` compares, `within group` sorts for one function alone.
    return word in _CLAUSES and (word, before) not in (("from", "distinct"), ("group", "within"))


def _named(given: Words) -> Iterator[tuple[str, Named]]:
    """The queries of a WITH."""
    for one in split(given):
        one = one[1:] if len(one) > 1 and one[0].low == "recursive" else one  # noqa: PLW2901
        if one and (brackets := inside(one)):
            listed = brackets[0] if len(brackets) > 1 else ()
            columns = tuple(part[0].name for part in split(listed) if part) if listed else ()
            yield one[0].name, Named(columns, brackets[-1])


def _item(given: Words) -> Item:
    last, before = given[-1], given[-2] if len(given) > 1 else None
    if last.text == "*" and (before is None or before.text == "."):
        return Item(given, "*")
    if before is None or before.text == ".":
        return Item(given, last.name)
    if before.low == "as" and before.depth == last.depth:
        return Item(given[:-2], last.name)
    alone = last.name and last.low not in ("end", "null") and last.depth == given[0].depth
    if alone and before.low not in _OPERATORS and (before.name or before.text[-1] in ")'" or
                                                   before.text.isdigit()):  # fmt: skip
        return Item(given[:-1], last.name)  # `pay id`
    return Item(given, "")


def _sources(given: Words) -> Iterator[Source]:
    for comma in split(given):
        for joined in split(comma, "join") if comma else ():
            yield _source(joined)


def _source(given: Words) -> Source:
    """`[schema.]table [as] alias`, or a query in brackets; one without a table if it is neither."""
    top = [word for word in given if word.depth == given[0].depth] if given else []
    end = next((n for n, word in enumerate(top) if word.low in _JOINS), len(top))
    top = [word for word in top[:end] if word.low not in ("as", "lateral", "only")]
    alias = top[-1].name if top else ""
    if len(top) > 1 and top[0].text == "(":
        query = inside(given)[0]
        known = bool(query) and query[0].low in ("select", "with")
        return Source(alias, "", query if known else ())
    schema = f"{top[0].name}." if len(top) > 1 and top[1].text == "." else ""
    name = top[2:] if schema else top
    plain = 0 < len(name) < 3 and all(word.name for word in name)  # noqa: PLR2004 - with its alias
    return Source(alias, f"{schema}{name[0].name}" if plain else "")
