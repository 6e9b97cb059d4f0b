"""Who holds a function by a name of its own (`from time import monotonic`), and how to give
it another one for a while.

It knows the namespaces of modules, their classes and the defaults of their functions; it must
never know what the functions are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

ABSENT: Any = object()
"""What stands where a class has what it inherits, and nothing of its own."""

Exempt = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere a value stands: a name in a namespace (`owner` is a module or a class), or the
    default of a function's parameter (its index, or its name)."""

    owner: Any
    key: str | int

    def get(self) -> Any:
        """What stands there now, as `put` takes it."""
        if not isinstance(self.owner, FunctionType):
            return vars(self.owner).get(self.key, ABSENT)
        if isinstance(self.key, int):
            return (self.owner.__defaults__ or ())[self.key]
        return (self.owner.__kwdefaults__ or {}).get(self.key)

    def put(self, value: Any) -> None:
        """Let something else stand there; `ABSENT`: nothing."""
        if value is ABSENT:
            delattr(self.owner, str(self.key))
        elif not isinstance(self.owner, FunctionType):
            setattr(self.owner, str(self.key), value)
        elif isinstance(self.key, int):
            defaults = list(self.owner.__defaults__ or ())
            defaults[self.key] = value
            self.owner.__defaults__ = tuple(defaults)
        else:
            self.owner.__kwdefaults__ = {**(self.owner.__kwdefaults__ or {}), self.key: value}


class Holders:
    """All places that hold one of `originals` (by identity), but in modules that are exempt (asked
    by name). Every module is looked through once; `places` says what stood there."""

    def __init__(self, originals: Collection[Any], exempt: Exempt) -> None:
        self._originals = {id(original): original for original in originals}
        self._exempt = exempt
        self._looked: list[Any] = []
        self.places: list[tuple[Place, Any]] = []

    def look(self) -> None:
        """Look through the modules that were imported since."""
        modules = list(sys.modules.values())
        if modules == self._looked:  # by identity first, hence quick
            return
        known = set(map(id, self._looked))
        for name, module in list(sys.modules.items()):
            new = id(module) not in known and isinstance(module, ModuleType)
            if new and not self._exempt(name):
                self.places.extend(self._of(module))
        self._looked = modules

    def _of(self, module: ModuleType) -> Iterator[tuple[Place, Any]]:
        for name, value in list(vars(module).items()):
            if id(value) in self._originals:
                yield Place(module, name), value
            elif isinstance(value, FunctionType):
                if value.__module__ == module.__name__:
                    yield from self._defaults(value)
            elif isinstance(value, type) and value.__module__ == module.__name__:
                yield from self._in_class(value)

    def _in_class(self, owner: type) -> Iterator[tuple[Place, Any]]:
        for name, value in list(vars(owner).items()):
            plain = value.__func__ if isinstance(value, staticmethod) else value
            if id(plain) in self._originals:
                yield Place(owner, name), value
            elif isinstance(plain, FunctionType):
                yield from self._defaults(plain)

    def _defaults(self, function: FunctionType) -> Iterator[tuple[Place, Any]]:
        for index, value in enumerate(function.__defaults__ or ()):
            if id(value) in self._originals:
                yield Place(function, index), value
        for name, value in (function.__kwdefaults__ or {}).items():
            if id(value) in self._originals:
                yield Place(function, name), value
