"""The shape of Hyper-V's objects, read from the contract data: properties, .NET types, enums.

A property that the contract marks as newer than the release that is played is left out; values
are converted to the .NET type that the contract gives, so no builder can get a type wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any

from harness.standin.releases import Release
from harness.standin.values import EnumValue, Int64, Record, UInt16, UInt32, UInt64, Value
from harness.standin.world import ZERO

HYPERV = "Microsoft.HyperV.PowerShell."
SINCE = (  # what the contract's "inferred_since" begins with, and the build that means
    ("after 2012 ", 9600),
    ("after 14393", 17763),
    ("after 2016", 17763),
    ("after the 2020 module", 26100),
    ("2016", 14393),
)
UNTIL = 9600  # "2012 or 2012 R2": gone in 2016
NUMBERS = {
    "Int64": Int64, "UInt16": UInt16, "UInt32": UInt32, "UInt64": UInt64, "Int32": int,
    "json int": int, "json int64": Int64,
}  # fmt: skip
EMPTY: dict[str, Value] = {
    "String": "", "Boolean": False, "Guid": ZERO, "TimeSpan": timedelta(0),
    "json string": "", "json bool": False,
}  # fmt: skip
LISTS = re.compile(
    r"(?:IReadOnlyList|IList|List)<(?P<item>.+)>|(?P<array>.+)\[\]|(?P<json>json .*\[\].*)"
)
CHAIN = ("VMComponentObject", "VirtualizationObject")
BASES = {
    "HardDiskDrive": ("Drive", "VMDevice", *CHAIN),
    "DvdDrive": ("Drive", "VMDevice", *CHAIN),
    "VMScsiController": ("VMDriveController", "VMDevice", *CHAIN),
    "VMIdeController": ("VMDriveController", "VMDevice", *CHAIN),
    "VMSnapshot": ("VirtualMachineBase", "ComputeResource", "VirtualizationObject"),
    "VMNetworkAdapter": ("VMNetworkAdapterBase", "VMDevice", *CHAIN),
    "VMNetworkAdapterVlanSetting": ("VMNetworkAdapterFeatureBase", "VirtualizationObject"),
    "VMHost": ("VirtualizationObject",),
    "VMSwitch": ("VirtualizationObject",),
    "VMBios": CHAIN,
    "VMFirmware": CHAIN,
}
PLAIN = ("VMDevice", *CHAIN)


@cache
def _data(name: str) -> Any:  # noqa: ANN401 - JSON of a contract file, read where its form is known
    folder = resources.files("harness.standin") / "contract_data"
    return json.loads((folder / name).read_text(encoding="utf-8"))


@cache
def _enums() -> Mapping[str, Mapping[str, int]]:
    objects = {n: e["values"] for n, e in _data("objects.json")["enums"].items()}
    return {**_data("reflected/Hyper-V-2.0.0.0.json")["enums"], **objects}


def wmi_classes() -> Mapping[str, Any]:
    r"""Return the documented WMI classes of root\virtualization\v2."""
    classes: Mapping[str, Any] = _data("wmi.json")["classes"]
    return classes


def _full_enum(name: str) -> str | None:
    names = (name, HYPERV + name, f"Microsoft.Vhd.PowerShell.{name}")
    return next((n for n in names if n in _enums()), None)


def documented_types() -> tuple[str, ...]:
    """Return the names of the types of which the contract has all properties with their type."""
    types = _data("objects.json")["types"].items()
    return tuple(n for n, t in types if all("type" in f for f in t["properties"].values()))


def enum_numbers() -> Mapping[str, Mapping[str, int]]:
    """Return full name of an enum → its names and numbers."""
    return _enums()


def enum_name(written: str) -> str | None:
    """Return the full name of an enum that may be written short; None for no enum."""
    return _full_enum(written)


def enum(type_name: str, name: str) -> EnumValue:
    """Return a value of an enum of the contract, by the enum's short or full name."""
    full = _full_enum(type_name)
    if full is None:
        raise KeyError(type_name)
    return EnumValue(full, name, _enums()[full][name])


def _holds(fact: Mapping[str, str], release: Release) -> bool:
    if "inferred_until" in fact and release.build > UNTIL:
        return False
    since = fact.get("inferred_since", "")
    needed = next((build for text, build in SINCE if since.startswith(text)), 0)
    return release.build >= needed


@cache
def properties(type_name: str, release: Release) -> Mapping[str, str]:
    """Return property name → contract type, of the properties that the release has."""
    types = _data("objects.json")["types"]
    vm = types[HYPERV + "VirtualMachine"]["properties"]
    facts = types[type_name]["properties"]
    marked = {n: {**_mark(vm.get(n, {})), **f} for n, f in facts.items()}
    return {n: f["type"] for n, f in marked.items() if _holds(f, release)}


def _mark(fact: Mapping[str, str]) -> dict[str, str]:
    """Keep the age mark of a property: a checkpoint has it since the VM has it."""
    return {k: v for k, v in fact.items() if k.startswith("inferred")}


@cache
def aliases(type_name: str) -> Mapping[str, str]:
    """Return the properties that PowerShell's type data adds → the property that they repeat."""
    added = _data("objects.json")["types"][type_name].get("type_data_properties", {})
    return {n: text.removeprefix("= ") for n, text in added.get("map", {}).items()}


def chain(type_name: str) -> tuple[str, ...]:
    """Return the type names of an object, most derived first."""
    bases = _data("objects.json")["types"][type_name].get("bases")
    if bases is None and type_name.startswith(HYPERV):
        short = type_name.removeprefix(HYPERV)
        bases = [HYPERV + base for base in BASES.get(short, PLAIN)]
    return (type_name, *(bases or ()), "System.Object")


def typed(type_name: str, value: Value) -> Value:
    """Convert a value to a contract type; None is what a fresh object has there."""
    listed = LISTS.fullmatch(type_name)
    if listed:
        item = listed["item"] or listed["array"] or "String"
        return [typed(item, v) for v in value] if isinstance(value, list) else []
    if type_name.endswith("?"):
        return None if value is None else typed(type_name[:-1], value)
    if type_name in NUMBERS:
        number: int = NUMBERS[type_name](value if isinstance(value, int) else 0)
        return number
    if isinstance(value, str) and _full_enum(type_name):
        return enum(type_name, value)
    return _fresh(type_name) if value is None else value


def _fresh(type_name: str) -> Value:
    full = _full_enum(type_name)
    if full:
        return enum(full, min(_enums()[full], key=_enums()[full].__getitem__))
    return EMPTY.get(type_name)


def build(
    type_name: str, release: Release, given: Mapping[str, Value], text: str, live: object
) -> Record:
    """Build an object with every property of its type; those not given are as on a fresh one."""
    unknown = given.keys() - _data("objects.json")["types"][type_name]["properties"].keys()
    if unknown:
        raise KeyError(type_name, sorted(unknown))
    known = properties(type_name, release)
    values = {n: typed(t, given.get(n)) for n, t in known.items()}
    for name, source in aliases(type_name).items():
        if source in values:
            values[name] = values[source]
    return Record(chain(type_name), values, text, live)
