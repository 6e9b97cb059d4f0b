"""`datetime` in a simulation, for the user's own modules.

It knows the class and the module of that name; what it makes is always a true `datetime`.

The class is written in C and reads the clock of the machine there: only another class can read
another clock. It stands in for the true one in modules of the user alone, where
`datetime.now()` is called; a library that compares classes (`type(x) is datetime`) never meets it.
"""

from __future__ import annotations

import datetime as dt
from types import ModuleType
from typing import Any

from pytest_mqchaos.simulation import clocks

_datetime = dt.datetime
_zero = _datetime(1970, 1, 1, tzinfo=dt.UTC)


class _Standing(type):
    """`isinstance` and `issubclass` mean the true class."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _datetime)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _datetime)


class Standin(_datetime, metaclass=_Standing):
    """Made like a `datetime`, makes a `datetime`; `now` and `utcnow` are the simulation's."""

    def __new__(cls, *args: Any, **options: Any) -> Any:
        return _datetime(*args, **options)

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        """As `datetime.now`."""
        clock = clocks.current()
        if clock is None:
            return _datetime.now(tz)
        moment = _zero + dt.timedelta(microseconds=(clock.now() + clock.offset) // 1000)
        return moment.astimezone(tz) if tz is not None else moment.astimezone().replace(tzinfo=None)

    @classmethod
    def utcnow(cls) -> Any:
        """As `datetime.utcnow`."""
        clock = clocks.current()
        if clock is None:
            return _datetime.now(dt.UTC).replace(tzinfo=None)
        moment = _zero + dt.timedelta(microseconds=(clock.now() + clock.offset) // 1000)
        return moment.replace(tzinfo=None)


def _stand_in() -> ModuleType:
    module = ModuleType("datetime", dt.__doc__)
    vars(module).update(vars(dt))
    vars(module)["datetime"] = Standin
    return module


REPLACED: tuple[tuple[Any, Any], ...] = ((_datetime, Standin), (dt, _stand_in()))
"""What a user's module may hold, and what it holds while a simulation runs."""
