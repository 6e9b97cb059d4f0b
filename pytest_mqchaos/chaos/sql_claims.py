"""What is proven of a query by what it shows: that it can show an id twice, that no later message
writes over a row, that its rows come in the order in which they were made.

It knows columns and tables; it must never read a text. What a simple shape does not prove is not
said: a trigger, a key of other columns, a condition may each do what nobody sees.
"""

from __future__ import annotations

from pytest_mqchaos.chaos.sql_origins import Shown


def countable(found: Shown) -> bool:
    """Whether work that is done twice must leave two rows: no table that the id is of has a unique
    key, but for a number of its own that is not told."""
    ids = found.of("id", "part", "by")
    if not found.every or not ids:
        return False
    for name in {name for name, _ in ids}:
        table = found.tables[name]
        numbers = {(name, number) for number in table.numbers}
        told = {(name, number) for number, alone in table.numbers.items() if not alone}
        if table.keys or not table.plain or numbers & (ids | found.joined):
            return False
        if told & found.of("key", "value"):
            return False
    return True


def lasting(found: Shown) -> str:
    """The one table whose rows it shows, if none is written over by that of another id: each unique
    key has the id in it, but for a number that is neither id nor key. "" if it is not like that."""
    the_id = found.columns.get("id")
    if not found.every or the_id is None or not the_id.plain or len(found.tables) > 1:
        return ""
    [(name, table)] = found.tables.items()
    [(_, column)] = the_id.origins
    numbers = {(name, number) for number in table.numbers}
    apart = all(column in key for key in table.keys) and not numbers & found.of("id", "key")
    return name if apart and table.plain else ""


def grown(found: Shown, terms: int) -> bool:
    """Whether the first of what it sorts by are columns of tables, and none is of the id."""
    ids = found.of("id")
    order = found.order[:terms]
    return bool(ids and order) and all(one.plain and not one.origins & ids for one in order)
