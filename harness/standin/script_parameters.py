"""Binding a script's arguments to its ``param()`` block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.standin import refusals
from harness.standin.api import ErrorRecord, Terminated
from harness.standin.contract_reading import parameter_type
from harness.standin.conversion import Unconvertible, convert, text_of
from harness.standin.syntax import Expression, ScriptParameter
from harness.standin.values import Value


def script_variables(
    parameters: Sequence[ScriptParameter],
    given: Iterable[tuple[str | None, Value]],
    default: Callable[[Expression], Value],
) -> dict[str, Value]:
    """Bind a script's arguments to its ``param()`` block, by name, then by position.

    Raises Terminated: NamedParameterNotFound, MissingMandatoryParameter, and the like. A script
    without ``param()`` takes anything and uses nothing.
    """
    if not parameters:
        return {}
    arguments = list(given)
    named = _named(parameters, arguments)
    free = [p for p in parameters if p.name.lower() not in named]
    positional = [value for name, value in arguments if name is None]
    if len(positional) > len(free):
        raise _refused(refusals.position_unknown(text_of(positional[len(free)])))
    named.update({p.name.lower(): v for p, v in zip(free, positional, strict=False)})
    missing = [p.name for p in parameters if p.mandatory and p.name.lower() not in named]
    if missing:
        raise _refused(refusals.mandatory_missing(missing))
    return {p.name.lower(): _parameter_value(p, named, default) for p in parameters}


def _named(
    parameters: Sequence[ScriptParameter], arguments: Iterable[tuple[str | None, Value]]
) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in arguments:
        if name is None:
            continue
        low = name.lower()
        exact = [p for p in parameters if p.name.lower() == low]
        fitting = exact or [p for p in parameters if p.name.lower().startswith(low)]
        if len(fitting) != 1:
            listed = [p.name for p in fitting]
            unknown = refusals.parameter_unknown(name)
            raise _refused(refusals.parameter_ambiguous(name, listed) if listed else unknown)
        found[fitting[0].name.lower()] = value
    return found


def _parameter_value(
    parameter: ScriptParameter,
    named: Mapping[str, Value],
    default: Callable[[Expression], Value],
) -> Value:
    if parameter.name.lower() not in named:
        if parameter.default is not None:
            return default(parameter.default)
        return False if parameter.type_name in ("switch", "bool") else None
    try:
        return convert(named[parameter.name.lower()], parameter_type(parameter.type_name, ()))
    except Unconvertible as unable:
        refusal = refusals.not_convertible(
            parameter.name, unable.reason, "ParameterArgumentTransformationError"
        )
        raise _refused(refusal) from None


def _refused(refusal: refusals.Refusal) -> Terminated:
    record = ErrorRecord(
        refusal.error_id, refusal.category, refusal.types, refusal.message,
        reason=refusal.types[0].rpartition(".")[2],
    )  # fmt: skip
    return Terminated(record)
