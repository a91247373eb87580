"""What Microsoft's documentation says of objects on the wire, for whoever compares a host with it.

The names of wire elements are those of [MS-PSRP] 2.2.5; an empty list of kinds: nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.standin.cim.msvm import since
from harness.standin.releases import RELEASES, Release
from harness.standin.shapes import (
    LISTS,
    aliases,
    chain,
    documented_types,
    enum_name,
    enum_numbers,
    properties,
    wmi_classes,
)

WIRE = {
    "Int64": "I64", "UInt16": "U16", "UInt32": "U32", "UInt64": "U64", "Int32": "I32",
    "String": "S", "Boolean": "B", "Guid": "G", "TimeSpan": "TS", "DateTime": "DT",
    "Version": "Version",
}  # fmt: skip
MAY_BE_NULL = ("S", "Version")
CIM = {
    "string": "S", "boolean": "B", "uint8": "By", "uint16": "U16",
    "uint32": "U32", "uint64": "U64", "sint16": "I16", "sint32": "I32", "sint64": "I64",
}  # fmt: skip
CIM_TYPE = "Microsoft.Management.Infrastructure.CimInstance#root/virtualization/v2/"
CIM_NOTES = ("PSComputerName", "PSShowComputerName", "RunspaceId")


def documented(windows: str) -> dict[str, Any]:
    """Return the types and enums of a release, as ``hvcert contract compare`` reads them.

    Raises KeyError for a release that is not known.
    """
    release = RELEASES[windows]
    types = {name: _type(name, release) for name in documented_types()}
    types |= {CIM_TYPE + name: _wmi(known, release) for name, known in wmi_classes().items()}
    return {"windows": windows, "types": types, "enums": enum_numbers()}


def _type(name: str, release: Release) -> dict[str, Any]:
    known = properties(name, release)
    return {
        "chain": list(chain(name)),
        "properties": {prop: _kinds(written) for prop, written in known.items()},
        "added": [*aliases(name), *CIM_NOTES],
    }


def _kinds(written: str) -> list[str]:
    """Return the elements as which a value of a .NET type may arrive; [] where none is known."""
    if written.endswith("?"):
        inner = _kinds(written[:-1])
        return [*inner, "Nil"] if inner else []
    if LISTS.fullmatch(written):
        return ["list", "Nil"]
    found = WIRE.get(written) or enum_name(written)
    if found is None:
        return []
    return [found, "Nil"] if found in MAY_BE_NULL else [found]


def _wmi(known: Mapping[str, Any], release: Release) -> dict[str, Any]:
    """Return a WMI class as the release has it; any of its properties may be null."""
    facts = known["properties"].items()
    kinds = {n: _cim_kinds(f["type"]) for n, f in facts if since(f) <= release.build}
    return {"chain": None, "properties": kinds, "added": list(CIM_NOTES)}


def _cim_kinds(written: str) -> list[str]:
    if written.endswith("[]"):
        return ["list", "Nil"]
    if written == "datetime":
        return ["DT", "TS", "Nil"]  # an interval arrives as a TimeSpan
    return [CIM[written], "Nil"] if written in CIM else []
