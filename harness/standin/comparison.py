"""How PowerShell looks into values and compares them: members, truth, operators, order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from harness.standin import wildcard
from harness.standin.conversion import Unconvertible, text_of
from harness.standin.literals import number
from harness.standin.values import EnumValue, Record, Value

Test = Callable[[Value, Value], bool]


def member(value: Value, name: str) -> Value:
    """Return ``value.name``; names match in any case, a list gives its items' members."""
    low = name.lower()
    if isinstance(value, list):
        if low in ("count", "length"):
            return len(value)
        return _unrolled([member(item, name) for item in value])
    known = properties(value)
    return next((known[k] for k in known if k.lower() == low), None)


def properties(value: Value) -> Mapping[str, Value]:
    """Return a value's properties by name."""
    if isinstance(value, Record):
        return value.properties
    if isinstance(value, dict):
        return {"Count": len(value), **value}
    if isinstance(value, str):
        return {"Length": len(value)}
    return {}


def has_member(value: Value, name: str) -> bool:
    """Return whether the value has a property of that name."""
    return name.lower() in {k.lower() for k in properties(value)}


def _unrolled(found: list[Value]) -> Value:
    kept: list[Value] = [item for item in found if item is not None]
    return kept[0] if len(kept) == 1 else (kept or None)


def truth(value: Value) -> bool:
    """Return what an ``if`` makes of the value."""
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else bool(value)
    if isinstance(value, EnumValue):
        return value.number != 0
    return bool(value) if isinstance(value, str | int | float) else value is not None


def equal(left: Value, right: Value) -> bool:
    """Return ``left -eq right`` for two single values; the right one takes the left one's type."""
    if left is None or right is None:
        return left is right
    if isinstance(left, EnumValue) or isinstance(right, EnumValue):
        return _enum_equals(left, right) if isinstance(left, EnumValue) else equal(right, left)
    if isinstance(left, bool):
        return left == truth(right)
    if isinstance(left, int | float):
        return left == _as_number(right)
    return left == right or text_of(left).lower() == text_of(right).lower()


def _enum_equals(enum: EnumValue, other: Value) -> bool:
    if isinstance(other, int):
        return enum.number == other
    return enum.name.lower() == text_of(other).lower()


def _as_number(value: Value) -> int | float | None:
    if isinstance(value, EnumValue):
        return value.number
    if isinstance(value, str):
        return number(value) if value.strip() else 0
    return value if isinstance(value, int | float) else None


def order(left: Value, right: Value) -> int:
    """Return -1, 0 or 1 as ``left`` sorts before, with or after ``right``.

    Raises Unconvertible where the right one does not become the left one's type.
    """
    first, second = _comparable(left), _comparable(right)
    if isinstance(first, int | float) and not isinstance(second, int | float):
        second = _as_number(right)
        if second is None:
            raise Unconvertible(f'Could not compare "{text_of(left)}" to "{text_of(right)}".')
    if isinstance(first, str):
        second = text_of(right).lower()
    return _three_way(first, second)


def _three_way(first: object, second: object) -> int:
    try:
        after: bool = first > second  # type: ignore[operator] # TypeError is an answer
        before: bool = first < second  # type: ignore[operator] # as above
        return int(after) - int(before)
    except TypeError:
        return _three_way(str(first), str(second))


def _comparable(value: Value) -> object:
    if value is None:
        return 0
    if isinstance(value, EnumValue):
        return value.number
    if isinstance(value, str):
        return value.lower()
    return text_of(value).lower() if isinstance(value, Record | list | dict) else value


def like(left: Value, right: Value) -> bool:
    """Return ``left -like right``."""
    return wildcard.matches(text_of(right), text_of(left))


def matches(left: Value, right: Value) -> bool:
    """Return ``left -match right``."""
    return re.search(text_of(right), text_of(left), re.IGNORECASE) is not None


def contains(left: Value, right: Value) -> bool:
    """Return ``left -contains right``."""
    items = left if isinstance(left, list) else [left]
    return any(equal(item, right) for item in items)


TESTS: Mapping[str, Test] = {
    "eq": equal,
    "ne": lambda a, b: not equal(a, b),
    "gt": lambda a, b: order(a, b) > 0,
    "ge": lambda a, b: order(a, b) >= 0,
    "lt": lambda a, b: order(a, b) < 0,
    "le": lambda a, b: order(a, b) <= 0,
    "like": like,
    "notlike": lambda a, b: not like(a, b),
    "match": matches,
    "notmatch": lambda a, b: not matches(a, b),
    "contains": contains,
    "notcontains": lambda a, b: not contains(a, b),
    "in": lambda a, b: contains(b, a),
    "notin": lambda a, b: not contains(b, a),
}
_WHOLE = frozenset(("contains", "notcontains", "in", "notin"))


def operate(operator: str, left: Value, right: Value) -> Value:
    """Return ``left -operator right``; a list on the left is filtered, as in PowerShell."""
    test = TESTS[operator]
    if isinstance(left, list) and operator not in _WHOLE:
        return [item for item in left if test(item, right)]
    return test(left, right)
