"""Get-CimInstance, Invoke-CimMethod and Get-CimAssociatedInstance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from harness.standin.api import Given, Streams
from harness.standin.cim import msvm, win32
from harness.standin.cim.model import CIM, CimClass, Found, record
from harness.standin.cim.wql import BadQuery, Query, read, read_filter
from harness.standin.cmdlet import Cmdlet
from harness.standin.faults import cim_error
from harness.standin.host import Host
from harness.standin.values import Record, Value
from harness.standin.world import Snapshot, Vm

CLASSES = (*win32.CLASSES, *msvm.CLASSES)
DEFAULT = "root/cimv2"
SPACES = {DEFAULT, msvm.SPACE}
BAD_QUERY, BAD_CLASS, BAD_SPACE = 0x80041017, 0x80041010, 0x8004100E
BAD_METHOD, NOT_FOUND, BAD_METHOD_PARAMETERS = 0x80041055, 0x80041002, 0x8004102F
EVERYTHING = Query((), "", lambda _: True)


class _Failed(Exception):
    """A WBEM error: its code, ErrorCategory and text."""

    def __init__(self, code: int, category: str, text: str) -> None:
        self.code, self.category = code, category
        super().__init__(text)


def get_instance(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-CimInstance: by class and filter, by query, or again by an instance."""
    try:
        yield from _found(host, given)
    except _Failed as failed:
        streams.error(cim_error(given.cmdlet, failed.code, failed.category, str(failed)))


def _found(host: Host, given: Given) -> Iterator[Record]:
    if "InputObject" in given:
        cls, found = _locate(host, given["InputObject"])
        yield record(host, cls, found)
        return
    query = _query(given)
    cls = _class(query.class_name, given)
    known = {n.casefold() for n in cls.types(host)}
    if any(n.casefold() not in known for n in (*query.properties, *query.used)):
        raise _Failed(BAD_QUERY, "InvalidArgument", "Invalid query")
    only = cls.keys if given.flag("KeyOnly") else query.properties
    for found in _matching(host, cls, query):
        yield record(host, cls, found, only)


def _matching(host: Host, cls: CimClass, query: Query) -> Iterator[Found]:
    """Yield the instances that fit; the condition sees exactly the properties of the release."""
    names = cls.types(host).keys()
    for found in cls.instances(host):
        if query.where({n: found.values.get(n) for n in names}):
            yield found


def _query(given: Given) -> Query:
    try:
        if "Query" in given:
            return read(str(given["Query"]))
        name = str(given["ClassName"])
        names = given.get("Property")
        wanted = tuple(map(str, names)) if isinstance(names, list) else ()
        where = read_filter(str(given["Filter"])) if "Filter" in given else EVERYTHING
    except BadQuery:
        raise _Failed(BAD_QUERY, "InvalidArgument", "Invalid query") from None
    return Query(wanted, name, where.where, where.used)


def _class(name: str, given: Given) -> CimClass:
    space = str(given.get("Namespace", DEFAULT)).replace("\\", "/").strip("/").casefold()
    if space not in SPACES:
        raise _Failed(BAD_SPACE, "MetadataError", "Invalid namespace")
    for cls in CLASSES:
        if cls.namespace == space and cls.name.casefold() == name.casefold():
            return cls
    raise _Failed(BAD_CLASS, "MetadataError", "Invalid class")


def _locate(host: Host, value: Value) -> tuple[CimClass, Found]:
    """Return the instance that an object stands for, by class and keys, as it is now.

    An instance that comes back from a client is as good as a live one: CIM objects, unlike
    Hyper-V's, are rebuilt from their class and keys on arrival.
    """
    if not isinstance(value, Record):
        raise _Failed(BAD_METHOD_PARAMETERS, "InvalidArgument", "No CIM instance was given")
    name = value.type_names[0].removeprefix("Deserialized.").removeprefix(f"{CIM}#")
    cls = next((c for c in CLASSES if name in (f"{c.namespace}/{c.name}", c.name)), None)
    if cls is None:
        raise _Failed(BAD_CLASS, "MetadataError", "Invalid class")
    keys = {k: value.properties.get(k) for k in cls.keys}
    for found in cls.instances(host):
        if all(found.values.get(k) == v for k, v in keys.items()):
            return cls, found
    raise _Failed(NOT_FOUND, "ObjectNotFound", "Not found")


def invoke_method(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Invoke-CimMethod: on an instance, on those of a query, or on a class with one instance."""
    try:
        for cls, found in list(_targets(host, given)):
            yield _invoke(host, cls, found, given)
    except _Failed as failed:
        streams.error(cim_error(given.cmdlet, failed.code, failed.category, str(failed)))


def _targets(host: Host, given: Given) -> Iterator[tuple[CimClass, Found]]:
    if "InputObject" in given:
        yield _locate(host, given["InputObject"])
        return
    query = _query(given)
    cls = _class(query.class_name, given)
    found = list(_matching(host, cls, query))
    if "Query" not in given and len(found) != 1:
        raise _Failed(BAD_METHOD_PARAMETERS, "InvalidArgument", "The method needs an instance")
    yield from ((cls, f) for f in found)


def _invoke(host: Host, cls: CimClass, found: Found, given: Given) -> Record:
    wanted = str(given["MethodName"]).casefold()
    name = next((n for n in cls.methods if n.casefold() == wanted), None)
    if name is None:
        raise _Failed(BAD_METHOD, "NotImplemented", "This method is not implemented in any class")
    method = host.methods.get(name) or cls.methods[name]
    arguments = given.get("Arguments")
    result = method(host, found, cast(Mapping[str, Value], arguments or {}))
    own = f"Microsoft.Management.Infrastructure.CimMethodResult#{cls.name}#{given['MethodName']!s}"
    base = "Microsoft.Management.Infrastructure.CimMethodResult"
    return Record((own, base, "System.Object"), {**result, "PSComputerName": None}, base)


def associated(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-CimAssociatedInstance: the settings, services and checkpoints of a VM, and back."""
    wanted = str(given.get("ResultClassName", "")).casefold()
    try:
        _, origin = _locate(host, given["InputObject"])
        for cls in msvm.CLASSES:
            if not wanted or cls.name.casefold() == wanted:
                found = [f for f in cls.instances(host) if _related(origin, f)]
                yield from (record(host, cls, f) for f in found)
    except _Failed as failed:
        streams.error(cim_error(given.cmdlet, failed.code, failed.category, str(failed)))


def _related(origin: Found, other: Found) -> bool:
    """Tell whether both are of the same VM; checkpoints belong to theirs."""
    if other.values == origin.values or not isinstance(origin.live, Vm):
        return False
    snapshots = origin.live.snapshots
    if isinstance(other.live, Snapshot):
        return other.live.id in snapshots
    return other.live is origin.live


CMDLETS = (
    Cmdlet("Get-CimInstance", get_instance),
    Cmdlet("Invoke-CimMethod", invoke_method),
    Cmdlet("Get-CimAssociatedInstance", associated),
)
