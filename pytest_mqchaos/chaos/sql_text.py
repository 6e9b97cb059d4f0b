"""What the text of a query says: its words, what it selects from where, and how it is sorted.

It knows the SQL that all databases share and must never run any. It understands simple queries
only, one SELECT whose rows are rows of tables: who asks takes the rest for "not known".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

_WORD = re.compile(
    r"\s+|--[^\n]*|/\*.*?\*/"
    r"|('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\W\d][^\]]*\]|\w+|.)",
    re.DOTALL,
)
_CLAUSES = frozenset(("select", "from", "where", "order", "limit", ";"))
_PERHAPS = frozenset(("offset", "window", "fetch", "for"))  # clauses, unless a column is called so
# With one of these a row is not a row of a table any more, wherever it stands.
_MADE = frozenset(("union", "intersect", "except", "group", "having", "distinct", "over", "values"))
_OPERATORS = frozenset((
    "and", "or", "not", "is", "like", "in", "between", "collate", "then", "else", "when", "escape",
    "glob", "by", "select", "all", "on", "as",
))  # fmt: skip
_KINDS = frozenset(("left", "right", "full", "inner", "outer", "cross", "natural"))
_JOINS = _KINDS | {"on", "using"}
# Functions of one row's values. Of others nobody knows: `max` makes one row of all.
_OF_A_ROW = frozenset((
    "cast", "coalesce", "concat", "ifnull", "json_extract", "json_value", "lower", "substr",
    "substring", "trim", "upper",
))  # fmt: skip


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
    def of_a_row(self) -> bool:
        """Whether it is made of the values of one row alone."""
        calls = (one.name for one, then in pairwise(self.words) if then.text == "(" and one.name)
        return {"select", "over"}.isdisjoint(word.low for word in self.words) and all(
            name in _OF_A_ROW for name in calls
        )


class Source(NamedTuple):
    """One table of a FROM and what it is called there, or the words of a query in its place. `on`:
    ON or USING of an inner join, with its words."""

    alias: str
    table: str
    query: Words = ()
    on: Words = ()


class Named(NamedTuple):
    """A query with a name (WITH, a view); `columns` if it gives its columns other names."""

    columns: tuple[str, ...]
    query: Words


class Statement(NamedTuple):
    """A query of one SELECT. `end` is where its list ends; `every`: its text leaves out no row and
    makes none of several; `order`: the terms that it is sorted by."""

    names: Mapping[str, Named]
    items: Sequence[Item]
    sources: Sequence[Source]
    end: int
    every: bool
    order: Sequence[Words]


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
    """Understand a query; None if it is no simple one."""
    clauses = list(_clauses(query))
    found = {key.low: rest for key, rest in clauses}
    if len(found) != len(clauses) or not found.get("select") or not found.get("from"):
        return None
    if any(word.low in _MADE and word.depth == query[0].depth for word in query):
        return None
    rest = found["select"]
    items = [_item(one) for one in split(rest[rest[0].low == "all" :]) if one]
    sources = list(_sources(found["from"]))
    return Statement(
        names=dict(_named(found.get("with", ()))),
        items=items,
        sources=sources,
        end=next(key.at for key, _ in clauses if key.low == "from"),
        every=found.keys() <= {"with", "select", "from", "order", ";"}
        and all(item.of_a_row for item in items)
        and all(source.on for source in sources[1:]),
        order=[one for one in split(found.get("order", ())[1:]) if one],
    )


def every(query: Words) -> bool:
    """Whether the text leaves out no row of its tables, and makes none of several."""
    found = read(query)
    return (
        found is not None
        and found.every
        and all(every(named.query) for named in found.names.values())
        and all(every(source.query) for source in found.sources if source.query)
    )


def column(term: Words) -> tuple[str, str]:
    """The column that it is, and of which table it says to be; ("", "") if it is none."""
    names, signs = term[::2], term[1::2]
    if not all(word.name for word in names) or any(word.text != "." for word in signs):
        return "", ""
    return (names[-1].name, names[-2].name if len(names) > 1 else "") if names else ("", "")


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
    return word in _CLAUSES


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
        kinds: set[str] = set()
        for one in split(comma, "join") if comma else ():
            depth = one[0].depth if one else 0
            tells = [n for n, word in enumerate(one) if word.depth == depth and word.low in _JOINS]
            last = one[tells[0] :] if tells else ()
            # What stands in front of the next JOIN says how that one is joined.
            after = {word.low for word in last if word.depth == depth and word.low in _KINDS}
            on = last[: next((n for n, word in enumerate(last) if word.low in after), len(last))]
            source = _source(one[: tells[0]] if tells else one)
            yield source._replace(on=on if kinds <= {"inner"} else ())
            kinds = after


def _source(given: Words) -> Source:
    """`[schema.]table [as] alias`, or a query in brackets; one without a table if it is neither."""
    top = [word for word in given if word.depth == given[0].depth]
    top = [word for word in top if word.low not in ("as", "lateral", "only")]
    alias = top[-1].name if top else ""
    if len(top) > 1 and top[0].text == "(":
        query = inside(given)[0]
        known = bool(query) and query[0].low in ("select", "with")
        return Source(alias, "", query if known else ())
    schema = f"{top[0].name}." if len(top) > 1 and top[1].text == "." else ""
    name = top[2:] if schema else top
    plain = 0 < len(name) < 3 and all(word.name for word in name)  # noqa: PLR2004 - with its alias
    return Source(alias, f"{schema}{name[0].name}" if plain else "")
