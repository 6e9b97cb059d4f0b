"""Answers from the legality tables: may this fault happen at this point, and with which error.

It knows the tables of all protocols and how to ask them; each protocol's facts are its own module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.faults.registry import FAULTS
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.legality_kafka import KAFKA
from pytest_mqchaos.plan.table import Refusal, Row, Table

TABLES: Final[Mapping[str, Table]] = {table.protocol: table for table in (KAFKA,)}


def table(protocol: str) -> Table:
    """Everything one protocol allows. Raises UsageError for one without a table."""
    if protocol not in TABLES:
        raise unknown("protocol", protocol, TABLES)
    return TABLES[protocol]


def row(protocol: str, point: Point, verb: str) -> Row:
    """The row behind one fault at one point. Raises UsageError that says what this protocol can do
    there instead."""
    found = table(protocol)
    for candidate in found.rows:
        if candidate.point == point and candidate.fault == verb:
            return candidate
    if verb not in FAULTS:
        raise unknown("fault", verb, FAULTS)
    here = sorted({row.fault for row in found.rows if row.point == point})
    there = sorted({str(row.point) for row in found.rows if row.fault == verb})
    reason = found.instead.get((point, verb), "")
    raise UsageError(
        f"{found.title} cannot {verb} at {point}." + (f" {reason}" if reason else "")
        + f" Possible at {point}: {', '.join(here) or 'nothing'}."
        + (f" {verb} is possible at: {', '.join(there)}." if there else "")
    )  # fmt: skip


def refusal(
    protocol: str,
    point: Point,
    error: str | int | None,
    *,
    api: str | None = None,
    forge: bool = False,
) -> Refusal:
    """Which error a refusal at this point means; `api` is the request's name where it is known.

    None takes the point's usual one. With `forge` any number is taken, and any name that the table
    knows. Raises UsageError for an error that must be caused instead, or that is none here.
    """
    known = table(protocol)
    allowed = [
        item
        for item in known.refusals
        if item.point == point and (api is None or not item.apis or api in item.apis)
    ]
    for item in allowed:
        if error in (item.code, item.name) or (error is None and item.default):
            return item
    codes = {item.name: item.code for item in known.refusals}
    codes |= {name: code for code, (name, _) in known.caused.items()}
    code = codes.get(error) if isinstance(error, str) else error
    if forge and code is not None:
        named = {number: name for name, number in codes.items()}
        return Refusal(point=point, code=code, name=named.get(code, f"error {code}"), cause="")
    place = f"{point} ({api})" if api else str(point)
    if not allowed:
        raise UsageError(f"{known.title} cannot refuse at {place} with any error of its own.")
    raise _not_here(known, place, error if code is None else code, allowed)


def _not_here(
    known: Table, place: str, code: str | int | None, allowed: list[Refusal]
) -> UsageError:
    if isinstance(code, str):
        return unknown(f"error at {place}", code, [item.name for item in allowed])
    if code is not None and code in known.caused:
        name, instead = known.caused[code]
        return UsageError(
            f"{name} ({code}) at {place} carries broker state, so it is caused, not answered: use "
            f"{instead}. (forge=True answers it all the same and marks it in the report.)"
        )
    options = ", ".join(f"{item.name} ({item.code})" for item in allowed)
    return UsageError(
        f"error {code} is not one that {known.title} answers at {place}. Allowed: {options}. "
        "forge=True answers it all the same and marks it in the report."
    )
