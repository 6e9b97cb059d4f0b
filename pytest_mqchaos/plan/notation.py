"""Reads plans written as their own source, from configuration and files, without running them.

    Plan(on.confirm(topic="orders", nth=2).drop(), seed=7)      on.ack().redeliver()

It accepts `on`, `where`, `every`, `range`, literals and the operators & | ~ - and nothing else.
"""

from __future__ import annotations

import ast
from typing import Any

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.faults import registry
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.jsonform import place_from
from pytest_mqchaos.plan.nth import Every
from pytest_mqchaos.plan.when import All, Either, Not, Predicate, Test, question

_EXAMPLE = "Write rules as in a test, such as on.confirm(topic='orders', nth=2).drop()."


def parse(text: str) -> tuple[list[dict[str, Any]], int]:
    """The fields of each rule, and the seed. `text` is a Plan, a rule, or rules between commas.
    Raises UsageError that shows what could not be read."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{text!r} is no plan: {error}. {_EXAMPLE}") from error
    if _name_of_call(tree) == "Plan":
        assert isinstance(tree, ast.Call)
        named = _keywords(tree)
        for name in named:
            if name != "seed":
                raise unknown("argument of Plan()", name, ["seed"])
        return [_rule(node) for node in tree.args], named.get("seed", 0)
    nodes = tree.elts if isinstance(tree, ast.Tuple | ast.List) else [tree]
    return [_rule(node) for node in nodes], 0


def _rule(node: ast.expr) -> dict[str, Any]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        raise _unreadable(node)
    verb, place = node.func.attr, node.func.value
    if isinstance(place, ast.Name) and place.id == "on":
        raise UsageError(f"{ast.unparse(node)} has no fault yet: add one, such as .drop().")
    if not (isinstance(place, ast.Call) and isinstance(place.func, ast.Attribute)):
        raise _unreadable(node)
    if not (
        isinstance(place.func.value, ast.Name) and place.func.value.id == "on" and not place.args
    ):
        raise _unreadable(node)
    point = place.func.attr
    if point not in list(Point):
        raise unknown("point", point, map(str, Point))
    if verb not in registry.FAULTS:
        raise unknown("fault", verb, registry.FAULTS)
    names = registry.FAULTS[verb].positional
    if len(node.args) > len(names):
        raise UsageError(f"{ast.unparse(node)}: .{verb}() takes {len(names)} without a name.")
    given = dict(zip(names, map(_value, node.args), strict=False)) | _keywords(node)
    flags = {name: given.pop(name) for name in ("optional", "forge") if name in given}
    where = place_from(_keywords(place), Point(point))
    return {"where": where, "fault": registry.build(verb, given)} | flags


def _keywords(node: ast.Call) -> dict[str, Any]:
    if any(item.arg is None for item in node.keywords):
        raise _unreadable(node)
    return {str(item.arg): _value(item.value) for item in node.keywords}


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.UnaryOp(op=ast.Invert()):
            return ~_predicate(node.operand)
        case ast.BinOp(op=ast.BitAnd()):
            return _predicate(node.left) & _predicate(node.right)
        case ast.BinOp(op=ast.BitOr()):
            return _predicate(node.left) | _predicate(node.right)
        case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]) if 0 < len(args) <= 3:  # noqa: PLR2004 - as range itself
            return _range(node, *map(_whole, args))
        case ast.Call(func=ast.Name(id="every"), args=[step], keywords=[]):
            return Every(_value(step))
        case ast.Call(func=ast.Attribute(value=ast.Name(id="where"), attr=name), keywords=[]):
            asked = tuple(map(_value, node.args))
            return question(name, (*asked, None) if name == "header" and len(asked) == 1 else asked)
    raise _unreadable(node)


def _predicate(node: ast.expr) -> Predicate:
    value = _value(node)
    if not isinstance(value, Test | All | Either | Not):
        raise _unreadable(node)
    return value


def _range(node: ast.expr, *bounds: int) -> range:
    try:
        return range(*bounds)
    except ValueError:  # a step of 0
        raise _unreadable(node) from None


def _whole(node: ast.expr) -> int:
    value = _value(node)
    if not isinstance(value, int):
        raise _unreadable(node)
    return value


def _name_of_call(node: ast.expr) -> str | None:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None


def _unreadable(node: ast.expr) -> UsageError:
    return UsageError(f"{ast.unparse(node)!r} cannot stand in a plan. {_EXAMPLE}")
