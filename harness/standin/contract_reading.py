"""From raw contract entries to parameters: two forms in, one form out.

Documentation lists its sets with every parameter; a reflected module lists its parameters with
their sets. Both become ``Draft``, and two drafts of one cmdlet can be merged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from harness.standin.contract_source import Raw, enums
from harness.standin.definition import (
    EVERY_SET,
    Enum,
    Parameter,
    ParameterType,
    Place,
    Validation,
)

_ANYWHERE = {EVERY_SET: Place()}
_ALL = "(All)"  # how the data name what belongs to every set
_CANONICAL = {
    "int": "Int32", "long": "Int64", "short": "Int16", "uint": "UInt32", "ushort": "UInt16",
    "ulong": "UInt64", "bool": "Boolean", "switch": "SwitchParameter",
    "system.management.automation.credentialattribute()": "PSCredential",
}  # fmt: skip
_INTEGERS = ("Int16", "Int32", "Int64", "UInt16", "UInt32", "UInt64", "Byte")
_PLAIN = (
    *_INTEGERS, "String", "Boolean", "Char", "Double", "Guid", "DateTime", "TimeSpan", "Version",
    "Uri", "Object", "SwitchParameter", "PSCredential", "PSObject", "ScriptBlock", "Hashtable",
    "IDictionary", "StringCollection", "CultureInfo", "CimInstance", "CimSession", "CimClass",
)  # fmt: skip
_CANONICAL.update({name.lower(): name for name in _PLAIN})
_SYSTEM_ENUMS = {
    "ActionPreference": Enum(
        "System.Management.Automation.ActionPreference",
        {"SilentlyContinue": 0, "Stop": 1, "Continue": 2, "Inquire": 3, "Ignore": 4, "Suspend": 5},
    ),
    "TraceLevel": Enum(
        "System.Diagnostics.TraceLevel",
        {"Off": 0, "Error": 1, "Warning": 2, "Info": 3, "Verbose": 4},
    ),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A cmdlet as one source has it; ``parameters`` is keyed by the lower-case name."""

    name: str
    parameters: Mapping[str, Parameter]
    sets: tuple[str, ...]
    default_set: str
    should_process: bool
    high_impact: bool
    output_types: tuple[str, ...]
    module: str = ""


def documented(name: str, raw: Raw) -> Draft:
    """Read a definition in the form of the documentation (schema cmdlet-contract/1)."""
    sets = {EVERY_SET if s == _ALL else s: members for s, members in raw["sets"].items()}
    parameters = {
        key.lower(): _documented_parameter(key, body, sets)
        for key, body in raw["params"].items()
        if key not in ("WhatIf", "Confirm")
    }
    return Draft(
        name, parameters, tuple(sets) or (EVERY_SET,), raw["default_set"] or "",
        bool(raw["should_process"]), bool(raw.get("high_impact", False)),
        tuple(o["type"] for o in raw.get("outputs", ())), raw.get("module", ""),
    )  # fmt: skip


def _documented_parameter(name: str, body: Raw, sets: Mapping[str, list[Any]]) -> Parameter:
    variants: list[Raw] = body.get("variants", [body])
    values = tuple(variants[0].get("values", ()))
    kind = parameter_type(variants[0]["type"], values)
    low, high = body.get("range", (None, None))
    return Parameter(
        name, kind, dict(_documented_places(name, variants, sets)),
        tuple(dict.fromkeys(a for v in variants for a in v.get("aliases", ()))),
        Validation(
            low=low, high=high, values=values if kind.enum is None else ()
        ),
        remaining=bool(body.get("remaining", False)),
    )  # fmt: skip


def _documented_places(
    name: str, variants: list[Raw], sets: Mapping[str, list[Any]]
) -> list[tuple[str, Place]]:
    found = []
    for set_name, members in sets.items():
        for member in members:
            listed, mandatory, position = (member, 0, None) if isinstance(member, str) else member
            if listed == name:
                pipeline = _pipeline_in(variants, set_name)
                found.append((set_name, _place(pipeline, mandatory, position)))
    return found


def _pipeline_in(variants: list[Raw], set_name: str) -> AbstractSet[str]:
    of_set = [v for v in variants if set_name in v.get("sets", (set_name,))] or variants
    return frozenset(of_set[0].get("pipeline", ()))


def _place(pipeline: AbstractSet[str], mandatory: object, position: int | None) -> Place:
    return Place(bool(mandatory), position, "ByValue" in pipeline, "ByPropertyName" in pipeline)


def reflected(name: str, raw: Raw) -> Draft:
    """Read a definition in the form of a reflected module (schema reflected/1).

    A default set that no parameter names exists all the same, with those that belong to every set.
    """
    parameters = {key.lower(): _reflected_parameter(key, b) for key, b in raw["params"].items()}
    listed = dict.fromkeys(s for p in parameters.values() for s in p.places if s != EVERY_SET)
    default = raw["default_set"] or ""
    return Draft(
        name, parameters, _with_default(listed, default), default, bool(raw["should_process"]),
        raw.get("confirm_impact") == "High", tuple(raw.get("output_type", ())),
    )  # fmt: skip


def _with_default(listed: Mapping[str, None], default: str) -> tuple[str, ...]:
    own = [default] if default or not listed else []
    return (*(name for name in own if name not in listed), *listed)


def _reflected_parameter(name: str, body: Raw) -> Parameter:
    places = {
        EVERY_SET if set_name == _ALL else set_name: _place(
            frozenset(at.get("pipeline", ())), at.get("required"), at.get("position")
        )
        for set_name, at in body.get("sets", {_ALL: {}}).items()
    }
    low, high = body.get("range", (None, None))
    kept = body.get("validate", "")
    validation = Validation(
        kept.startswith("NotNull"), kept == "NotNullOrEmpty", low, high,
        tuple(body.get("values", ())),
    )  # fmt: skip
    kind = parameter_type(body["type"], ())
    return Parameter(name, kind, places, tuple(body.get("aliases", ())), validation)


def parameter_type(written: str, values: tuple[str, ...]) -> ParameterType:
    """Return the type behind a written name (``VirtualMachine[]``, ``uint64?``, ``Int32``)."""
    bare = re.sub(r"#\w+", "", written)
    array, nullable = bare.endswith("[]"), bare.endswith("?")
    bare = bare.removesuffix("[]").removesuffix("?")
    name = _CANONICAL.get(bare.lower(), bare)
    if name == "StringCollection":
        return ParameterType("String", array=True)
    enum = None if name in _PLAIN else _enum(name, values)
    return ParameterType(name, array, nullable, enum)


def _enum(name: str, documented_values: tuple[str, ...]) -> Enum | None:
    known = _SYSTEM_ENUMS.get(name.rpartition(".")[2]) or _enums_by_name().get(_last(name))
    if known is None:
        members = dict.fromkeys(documented_values, -1)
        return Enum(name, members) if members else None
    extra = {v: -1 for v in documented_values if v not in known.members}
    return Enum(known.type_name, {**known.members, **extra})


@cache
def _enums_by_name() -> dict[str, Enum]:
    """Map short enum names to enums; of two with one name the module's top namespace wins."""
    ordered = sorted(enums().items(), key=lambda item: -item[0].count("."))
    return {_last(name): Enum(name, members) for name, members in ordered}


def _last(name: str) -> str:
    return re.split(r"[.+]", name)[-1]


def merged(first: Draft, second: Draft) -> Draft:
    """Return the first draft with what only the second has."""
    parameters = {**second.parameters, **first.parameters}
    named = tuple(s for s in dict.fromkeys((*first.sets, *second.sets)) if s != EVERY_SET)
    sets = named or (EVERY_SET,)
    return replace(
        first,
        parameters=parameters,
        sets=sets,
        high_impact=first.high_impact or second.high_impact,
    )


def filled(module: Draft, documentation: Draft) -> Draft:
    """Return the module's draft with the parameters that only the documentation has.

    They get the module's sets: those of the documentation that it has too, else all.
    """
    extra = {
        key: replace(
            p, places={s: at for s, at in p.places.items() if s in module.sets} or _ANYWHERE
        )
        for key, p in documentation.parameters.items()
        if key not in module.parameters
    }
    return replace(module, parameters={**module.parameters, **extra})


def with_validation(draft: Draft, module: Draft) -> Draft:
    """Return a documented draft with the checks that a real module declares on equal types.

    Documentation does not state them. Enum numbers and nullability come along.
    """
    borrowed = {
        key: _checked(p, module.parameters[key]) if key in module.parameters else p
        for key, p in draft.parameters.items()
    }
    return replace(draft, parameters=borrowed, high_impact=module.high_impact)


def _checked(own: Parameter, real: Parameter) -> Parameter:
    if (own.type.name, own.type.array) != (real.type.name, real.type.array):
        return own
    validation = real.validation
    if own.type.name in _INTEGERS and own.validation.values:
        validation = replace(validation, values=own.validation.values)
    return replace(own, type=replace(own.type, nullable=real.type.nullable), validation=validation)


def restricted(draft: Draft, kept: AbstractSet[str]) -> Draft:
    """Return only the parameters whose name is kept; a set that loses a mandatory one goes too."""
    wanted = {name.lower() for name in kept}
    lost = [p for key, p in draft.parameters.items() if key not in wanted]
    gone = {s for p in lost for s, at in p.places.items() if at.mandatory}
    sets = tuple(s for s in draft.sets if s not in gone) or draft.sets
    kept_parameters = {k: p for k, p in draft.parameters.items() if k in wanted}
    return replace(draft, parameters=kept_parameters, sets=sets)


def placed_as_captured(draft: Draft, capture: Raw) -> Draft:
    """Return the draft with the positions and mandatory marks that a real module reported.

    The capture names no sets: a set is recognised by the parameters it holds.
    """
    parameters = dict(draft.parameters)
    by_members = {frozenset(_names(c)): c for c in capture["sets"]}
    for set_name in draft.sets:
        members = {p.name for p in draft.parameters.values() if p.place(set_name)}
        for listed in by_members.get(frozenset(members), ()):
            name, mandatory, position = (listed, 0, None) if isinstance(listed, str) else listed
            if (own := parameters.get(name.lower())) is not None:
                parameters[own.name.lower()] = _moved(own, set_name, bool(mandatory), position)
    return replace(draft, parameters=parameters)


def _names(members: list[Any]) -> set[str]:
    named = {m if isinstance(m, str) else m[0] for m in members}
    return named - {"WhatIf", "Confirm"}


def _moved(own: Parameter, set_name: str, mandatory: bool, position: int | None) -> Parameter:  # noqa: FBT001 - the capture's two columns
    at = replace(own.place(set_name) or Place(), mandatory=mandatory, position=position)
    return replace(own, places={**own.places, set_name: at})
