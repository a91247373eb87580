"""What a CIM class is here: keys, typed properties, instances, methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from harness.standin.host import Host
from harness.standin.values import Byte, Record, UInt16, UInt32, UInt64, Value

CIM = "Microsoft.Management.Infrastructure.CimInstance"
SIZED = {"uint8": Byte, "uint16": UInt16, "uint32": UInt32, "uint64": UInt64}


@dataclass(frozen=True, slots=True)
class Found:
    """One instance: its values by property, and the object of the world behind it."""

    values: Mapping[str, Value]
    live: object = None


Method = Callable[[Host, Found, Mapping[str, Value]], dict[str, Value]]


@dataclass(frozen=True, slots=True)
class CimClass:
    """A class. ``types`` are property → CIM type; a method returns ReturnValue and out values."""

    name: str
    namespace: str
    keys: tuple[str, ...]
    types: Callable[[Host], Mapping[str, str]]
    instances: Callable[[Host], Iterable[Found]]
    base: str = ""
    methods: Mapping[str, Method] = field(default_factory=dict)


def typed(cim_type: str, value: Value) -> Value:
    """Convert a value to a CIM type: uint64 stays UInt64, an array a list."""
    if value is None:
        return None
    if cim_type.endswith("[]"):
        return [typed(cim_type[:-2], v) for v in value] if isinstance(value, list) else None
    if cim_type in SIZED and isinstance(value, int):
        number: int = SIZED[cim_type](value)
        return number
    return value


def record(host: Host, cls: CimClass, found: Found, only: Iterable[str] = ()) -> Record:
    """Build the CimInstance object; with ``only``, the other properties are null (as WMI does)."""
    wanted = {n.casefold() for n in only}
    values = {
        name: typed(kind, found.values.get(name))
        if not wanted or name.casefold() in wanted
        else None
        for name, kind in cls.types(host).items()
    }
    keys = ", ".join(f'{k} = "{found.values.get(k)!s}"' for k in cls.keys)
    return Record(_chain(cls), values, f"{cls.name} ({keys})", (cls, found))


def reference(host: Host, cls: CimClass, found: Found) -> Record:
    """Build the reference to an instance that a method hands out: its keys alone."""
    made = record(host, cls, found)
    made.properties = {k: v for k, v in made.properties.items() if k in cls.keys}
    return made


def _chain(cls: CimClass) -> tuple[str, ...]:
    names = [cls.name, *([cls.base] if cls.base else [])]
    spaced = [f"{CIM}#{cls.namespace}/{n}" for n in names]
    return (*spaced, *(f"{CIM}#{n}" for n in names), CIM, "System.Object")
