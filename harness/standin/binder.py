"""PowerShell's parameter binding, driven by a cmdlet's definition.

Two steps, as in PowerShell: ``bind_arguments`` takes what was written (names, then positions) and
leaves the parameter sets that are still possible; ``complete`` or ``bind_record`` adds the pipeline
record, settles the set and gives the cmdlet its parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from harness.standin import refusals
from harness.standin.api import Given
from harness.standin.conversion import Unconvertible, convert, fits, text_of
from harness.standin.definition import Definition, Parameter
from harness.standin.refusals import Refusal, refused
from harness.standin.validation import check_given, check_valid
from harness.standin.values import Record, Value

Arguments = Iterable[tuple[str | None, Value]]


@dataclass(frozen=True, slots=True)
class Bound:
    """A command line that was bound: values by canonical name, and the sets still possible."""

    definition: Definition
    values: Mapping[str, Value]
    common: Mapping[str, Value]
    sets: tuple[str, ...]


def bind_arguments(definition: Definition, arguments: Arguments, *, piped: bool) -> Bound:
    """Bind what was written; ``piped``: records will come that may fill mandatory parameters.

    Raises Terminated with the ParameterBindingException of a real host.
    """
    given = list(arguments)
    bound = Bound(definition, {}, {}, definition.sets)
    for name, value in given:
        if name is not None:
            bound = _with_named(bound, name, value)
    bound = _with_positional(bound, [value for name, value in given if name is None])
    _settled(bound, piped=piped)
    return bound


def complete(bound: Bound) -> Given:
    """Return the parameters of a call without pipeline input."""
    return Given(bound.definition.name, bound.values, _settled(bound, piped=False))


def _with_named(bound: Bound, name: str, value: Value) -> Bound:
    definition = bound.definition
    parameter = resolve(definition, name)
    if parameter.name in bound.values or parameter.name in bound.common:
        raise refused(definition, refusals.parameter_twice(parameter.name))
    converted = _converted(definition, parameter, _switched(parameter, value))
    if parameter.common:
        return replace(bound, common={**bound.common, parameter.name: converted})
    return _with_value(bound, parameter, converted)


def resolve(definition: Definition, name: str) -> Parameter:
    """Return the parameter that a written name or unambiguous prefix means."""
    found = definition.candidates(name)
    if not found:
        raise refused(definition, refusals.parameter_unknown(name))
    if len(found) > 1:
        raise refused(definition, refusals.parameter_ambiguous(name, [p.name for p in found]))
    return found[0]


def _switched(parameter: Parameter, value: Value) -> Value:
    return True if value is None and parameter.type.name == "SwitchParameter" else value


def _converted(definition: Definition, parameter: Parameter, value: Value) -> Value:
    refusal = check_given(parameter, value)
    if refusal is not None:
        raise refused(definition, refusal)
    try:
        converted = convert(value, parameter.type)
    except Unconvertible as unable:
        raise refused(
            definition, refusals.not_convertible(parameter.name, unable.reason, unable.error_id)
        ) from None
    refusal = check_valid(parameter, converted)
    if refusal is not None:
        raise refused(definition, refusal)
    return converted


def _with_value(bound: Bound, parameter: Parameter, value: Value) -> Bound:
    sets = _sets_with(parameter, bound.sets)
    if not sets:
        raise refused(bound.definition, refusals.SET_AMBIGUOUS)
    return replace(bound, values={**bound.values, parameter.name: value}, sets=sets)


def _sets_with(parameter: Parameter, sets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(s for s in sets if parameter.place(s) is not None)


# --- positions -----------------------------------------------------------------------------------


def _with_positional(bound: Bound, values: list[Value]) -> Bound:
    """Bind arguments without name: each takes one position, in rising order."""
    pending, after = list(values), -1
    while pending:
        after, parameter = _next_position(bound, pending[0], after)
        if parameter is None:
            return _with_remaining(bound, pending)
        bound = _with_value(
            bound, parameter, _converted(bound.definition, parameter, pending.pop(0))
        )
    return bound


def _with_remaining(bound: Bound, values: list[Value]) -> Bound:
    """Give what no position took to the parameter that takes all the rest, if there is one."""
    definition = bound.definition
    for parameter in definition.parameters:
        if parameter.remaining:
            before = bound.values.get(parameter.name)
            whole = [*before, *values] if isinstance(before, list) else list(values)
            rest = {k: v for k, v in bound.values.items() if k != parameter.name}
            converted = _converted(definition, parameter, whole)
            return _with_value(replace(bound, values=rest), parameter, converted)
    raise refused(definition, refusals.position_unknown(text_of(values[0])))


def _next_position(bound: Bound, value: Value, after: int) -> tuple[int, Parameter | None]:
    """Return the next free position and who takes the value there.

    The default set comes first, and what needs no conversion before what does.
    """
    rows = [
        (at.position, set_name != bound.definition.default_set, parameter)
        for set_name in bound.sets
        for parameter in bound.definition.parameters
        if (at := parameter.place(set_name)) is not None
        and at.position is not None
        and at.position > after
        and parameter.name not in bound.values
    ]
    if not rows:
        return after, None
    lowest = min(position for position, _, _ in rows)
    ordered = [p for at, _, p in sorted(rows, key=lambda row: row[1]) if at == lowest]
    unchanged = (p for p in ordered if fits(value, p.type))
    convertible = (p for p in ordered if _converts(value, p))
    return lowest, next(unchanged, None) or next(convertible, None) or ordered[0]


def _converts(value: Value, parameter: Parameter) -> bool:
    try:
        convert(value, parameter.type)
    except Unconvertible:
        return False
    return True


# --- parameter sets ------------------------------------------------------------------------------


def _settled(bound: Bound, *, piped: bool) -> str:
    """Return the parameter set that the bound values leave, or raise what a real host would."""
    definition = bound.definition
    complete_sets = [s for s in bound.sets if not _missing(bound, s, piped=piped)]
    if definition.default_set in complete_sets:
        return definition.default_set
    decided = [s for s in complete_sets if _has_mandatory(definition, s)] or complete_sets
    if len(decided) == 1 or (decided and piped):
        return decided[0]
    if complete_sets:
        raise refused(definition, refusals.SET_AMBIGUOUS)
    if definition.default_set not in bound.sets and len(bound.sets) > 1:
        raise refused(definition, refusals.SET_AMBIGUOUS)
    wanted = definition.default_set if definition.default_set in bound.sets else bound.sets[0]
    names = _missing(bound, wanted, piped=piped)
    raise refused(definition, refusals.mandatory_missing(names))


def _has_mandatory(definition: Definition, set_name: str) -> bool:
    places = (p.place(set_name) for p in definition.parameters)
    return any(at is not None and at.mandatory for at in places)


def _missing(bound: Bound, set_name: str, *, piped: bool) -> list[str]:
    """Return the set's mandatory parameters without value that the pipeline cannot fill either."""
    found = []
    for parameter in bound.definition.parameters:
        at = parameter.place(set_name)
        if at is None or not at.mandatory or parameter.name in bound.values:
            continue
        if not (piped and (at.by_value or at.by_name)):
            found.append(parameter.name)
    return found


# --- the pipeline --------------------------------------------------------------------------------

_STATES = ((False, False), (True, False), (False, True), (True, True))  # by name, with conversion


def bind_record(bound: Bound, record: Value) -> Given | Refusal:
    """Bind one pipeline record; a Refusal is a non-terminating error, as on a real host."""
    start = bound
    for by_name, coerced in _STATES:
        bound = _with_record(bound, record, by_name=by_name, coerced=coerced)
    if bound is start:
        return refusals.INPUT_NOT_BOUND
    default = bound.definition.default_set
    possible = [s for s in bound.sets if not _missing(bound, s, piped=False)]
    if not possible:
        first = default if default in bound.sets else bound.sets[0]
        return refusals.input_incomplete(_missing(bound, first, piped=False))
    chosen = default if default in possible else possible[0]
    return Given(bound.definition.name, bound.values, chosen)


def _with_record(bound: Bound, record: Value, *, by_name: bool, coerced: bool) -> Bound:
    """Bind what one of the four states can: within the default set, else within any."""
    before = bound
    default = bound.definition.default_set
    for within in ((default,), bound.sets):
        for parameter in _unbound(bound):
            sets = _piped_sets(parameter, bound.sets, within, by_name=by_name)
            source = _from_record(parameter, record, by_name=by_name)
            if sets and source and _suits(source[0], parameter, bound.definition, coerced=coerced):
                bound = _with_piped(bound, parameter, source[0])
        if bound is not before:
            break
    return bound


def _unbound(bound: Bound) -> Iterator[Parameter]:
    return (p for p in bound.definition.parameters if p.name not in bound.values)


def _piped_sets(
    parameter: Parameter, sets: tuple[str, ...], within: Iterable[str], *, by_name: bool
) -> list[str]:
    places = ((s, parameter.place(s)) for s in within if s in sets)
    return [s for s, at in places if at and (at.by_name if by_name else at.by_value)]


def _from_record(parameter: Parameter, record: Value, *, by_name: bool) -> tuple[Value] | None:
    """Return the record itself, or its property of the parameter's name or alias, in a tuple."""
    if not by_name:
        return (record,)
    if not isinstance(record, Record):
        return None
    wanted = {parameter.name.lower(), *(a.lower() for a in parameter.aliases)}
    return next(((v,) for k, v in record.properties.items() if k.lower() in wanted), None)


def _suits(value: Value, parameter: Parameter, definition: Definition, *, coerced: bool) -> bool:
    if not coerced:
        return fits(value, parameter.type)
    if parameter.type.name == "CimSession":  # only a written name stands for a session
        return False
    if isinstance(value, Record) and _must_stay_live(value, definition):
        return False
    return _converts(value, parameter)


def _must_stay_live(record: Record, definition: Definition) -> bool:
    """Return whether the record is a copy of an object that this cmdlet takes only alive.

    Its text must not slip into a name parameter instead.
    """
    if record.live is not None:
        return False
    short = {t.partition("#")[0].rpartition(".")[2] for t in record.type_names}
    return any(p.type.name.rpartition(".")[2] in short for p in definition.parameters)


def _with_piped(bound: Bound, parameter: Parameter, value: Value) -> Bound:
    sets = _sets_with(parameter, bound.sets)
    converted = _converted(bound.definition, parameter, value)
    return replace(bound, values={**bound.values, parameter.name: converted}, sets=sets)
