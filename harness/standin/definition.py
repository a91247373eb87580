"""What a cmdlet is to the binder: its parameters, their types, and their places in the sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

EVERY_SET = ""  # the key of a parameter that belongs to all sets alike
_NO_PLACES: Mapping[str, Place] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter's role in one parameter set."""

    mandatory: bool = False
    position: int | None = None
    by_value: bool = False
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class Enum:
    """A .NET enum; a number is -1 where no evidence names it."""

    type_name: str
    members: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ParameterType:
    """A parameter's type: the short name of the element (``Int32``, ``VirtualMachine``)."""

    name: str
    array: bool = False
    nullable: bool = False
    enum: Enum | None = None

    @property
    def full_name(self) -> str:
        """Return the name as an error message prints it."""
        if self.enum is not None:
            return self.enum.type_name
        return full_type_name(self.name) + ("[]" if self.array else "")


@dataclass(frozen=True, slots=True)
class Validation:
    """The checks after conversion; ``low`` and ``high`` are a range, both inclusive."""

    not_null: bool = False
    not_empty: bool = False
    low: int | None = None
    high: int | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; ``places`` maps a set's name (or EVERY_SET) to its role there.

    ``remaining``: takes every positional argument that nothing else took.
    """

    name: str
    type: ParameterType
    places: Mapping[str, Place]
    aliases: tuple[str, ...] = ()
    validation: Validation = Validation()
    common: bool = False
    remaining: bool = False

    def place(self, set_name: str) -> Place | None:
        """Return the role in a set, or None when the parameter is not in it."""
        return self.places.get(set_name) or self.places.get(EVERY_SET)


@dataclass(frozen=True, slots=True)
class Definition:
    """A cmdlet as one release of Windows Server has it.

    ``type_name`` is the .NET class that a FullyQualifiedErrorId names. ``sets`` is never empty.
    """

    name: str
    module: str
    type_name: str
    parameters: tuple[Parameter, ...]
    sets: tuple[str, ...]
    default_set: str = ""
    should_process: bool = False
    high_impact: bool = False
    output_types: tuple[str, ...] = ()
    spellings: Mapping[str, Parameter] = field(default_factory=dict, repr=False)

    def candidates(self, written: str) -> list[Parameter]:
        """Return the parameters that a written name may mean: exact name or alias, else prefix.

        Declared parameters win over the common ones, as in PowerShell's own binder.
        """
        low = written.lower()
        if (exact := self.spellings.get(low)) is not None:
            return [exact]
        found = {p.name: p for name, p in self.spellings.items() if name.startswith(low)}
        declared = [p for p in found.values() if not p.common]
        return declared if len(declared) == 1 else list(found.values())


def spellings_of(parameters: Iterable[Parameter]) -> dict[str, Parameter]:
    """Map every name and alias, in lower case, to its parameter; names win over aliases."""
    listed = tuple(parameters)
    found = {alias.lower(): p for p in listed for alias in p.aliases}
    found.update({p.name.lower(): p for p in listed})
    return found


_SYSTEM = (
    "String", "Int16", "Int32", "Int64", "UInt16", "UInt32", "UInt64", "Byte", "Boolean", "Char",
    "Double", "Guid", "DateTime", "TimeSpan", "Version", "Uri", "Object",
)  # fmt: skip
_ELSEWHERE = {
    "SwitchParameter": "System.Management.Automation.SwitchParameter",
    "PSCredential": "System.Management.Automation.PSCredential",
    "PSObject": "System.Management.Automation.PSObject",
    "ScriptBlock": "System.Management.Automation.ScriptBlock",
    "Hashtable": "System.Collections.Hashtable",
    "IDictionary": "System.Collections.IDictionary",
    "StringCollection": "System.Collections.Specialized.StringCollection",
    "CultureInfo": "System.Globalization.CultureInfo",
    "CimInstance": "Microsoft.Management.Infrastructure.CimInstance",
    "CimSession": "Microsoft.Management.Infrastructure.CimSession",
    "CimClass": "Microsoft.Management.Infrastructure.CimClass",
}


def full_type_name(short: str) -> str:
    """Return the .NET name of a short type name."""
    if short in _SYSTEM:
        return f"System.{short}"
    if "." in short:
        return short
    if short.startswith("WB"):
        return f"Microsoft.Windows.ServerBackup.Commands.{short}"
    return _ELSEWHERE.get(short, f"Microsoft.HyperV.PowerShell.{short}")
