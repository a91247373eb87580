"""The checks on an argument beside its type: null, emptiness, ranges and closed lists."""

from __future__ import annotations

from harness.standin import refusals
from harness.standin.conversion import text_of
from harness.standin.definition import Parameter
from harness.standin.literals import number
from harness.standin.refusals import Refusal
from harness.standin.values import Value


def check_given(parameter: Parameter, value: Value) -> Refusal | None:
    """Return why a mandatory parameter does not take the value as it was written, or None."""
    mandatory = any(at.mandatory for at in parameter.places.values())
    if not mandatory or parameter.type.name in ("PSObject", "Object"):
        return None
    if value is None:
        return refusals.empty_not_allowed(parameter.name, "null", "NullNotAllowed")
    if value == []:
        return refusals.empty_not_allowed(parameter.name, "an empty array", "EmptyArrayNotAllowed")
    items = value if isinstance(value, list) else [value]
    if parameter.type.name == "String" and "" in items:
        what = "an empty string"
        return refusals.empty_not_allowed(parameter.name, what, "EmptyStringNotAllowed")
    return None


def check_valid(parameter: Parameter, value: Value) -> Refusal | None:
    """Return why a validation attribute rejects the converted value, or None."""
    rule = parameter.validation
    items: list[Value] = value if isinstance(value, list) else [value]
    if rule.not_null and any(item is None for item in (value, *items)):
        return refusals.not_valid(
            parameter.name, "The argument is null. Provide a valid value for the argument, and then"
            " try running the command again.",
        )  # fmt: skip
    if rule.not_empty and (value == [] or any(item == "" for item in items)):
        return refusals.not_valid(
            parameter.name, "The argument is null or empty. Provide an argument that is not null or"
            " empty, and then try the command again.",
        )  # fmt: skip
    return _outside(parameter, items)


def _outside(parameter: Parameter, items: list[Value]) -> Refusal | None:
    rule = parameter.validation
    for item in items:
        if isinstance(item, int) and not _within(item, rule.low, rule.high):
            bound = "maximum" if rule.high is not None and item > rule.high else "minimum"
            limit = rule.high if bound == "maximum" else rule.low
            return refusals.not_valid(
                parameter.name, f"The {item} argument is outside the {bound} allowed range of"
                f" {limit}. Supply an argument that is inside the allowed range, and then try the"
                " command again.",
            )  # fmt: skip
        if rule.values and item is not None and not _listed(item, rule.values):
            return refusals.not_valid(
                parameter.name, f'The argument "{text_of(item)}" does not belong to the set'
                f' "{",".join(rule.values)}" specified by the ValidateSet attribute. Supply an'
                " argument that is in the set and then try the command again.",
            )  # fmt: skip
    return None


def _within(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _listed(value: Value, allowed: tuple[str, ...]) -> bool:
    if isinstance(value, int):
        return any(number(a) == int(value) for a in allowed)
    return text_of(value).lower() in {a.lower() for a in allowed}
