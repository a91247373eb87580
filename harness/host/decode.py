"""What the PSRP library hands out → HostObject and HostValue. Pure: it knows shapes, not types.

A .NET object arrives with ``types``, ``adapted_properties`` (its own), ``extended_properties``
(notes), ``property_sets`` (what it wraps: an enum's number, a list, a text with notes) and
``to_string``.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from queue import Queue
from typing import Protocol, cast, runtime_checkable
from xml.etree import ElementTree as ET

from harness.host.session import HostObject, HostValue

ENUM = "System.Enum"
HASHTABLE = ("System.Collections.Hashtable", "System.Object")
LISTS = ("LST", "IE", "QUE", "STK")
WHOLE = {"By", "SB", "U16", "I16", "U32", "I32", "U64", "I64"}


@runtime_checkable
class Dynamic(Protocol):
    """An object of any .NET type, as the library keeps it."""

    types: list[str]
    adapted_properties: dict[str, object]
    extended_properties: dict[str, object]
    property_sets: list[object]
    to_string: str | None


def decode(value: object) -> HostValue:
    """Turn one output object into a HostValue.

    Byte arrays become Base64 text, Guids, dates and durations their text, dictionaries an object
    with the keys as property names.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return _text_or_list(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, (list, tuple, Queue)):
        return tuple(decode(item) for item in _items(value))
    return _object_like(value)


def _object_like(value: object) -> HostValue:
    if isinstance(value, Mapping):
        return HostObject(HASHTABLE, {str(k): decode(v) for k, v in value.items()})
    return _object(value) if isinstance(value, Dynamic) else _known(value)


def _items(value: list[object] | tuple[object, ...] | Queue[object]) -> Iterable[object]:
    if isinstance(value, Queue):
        return tuple(value.queue)
    return value


def _object(value: Dynamic) -> HostValue:
    properties = {
        name: decode(item)
        for part in (value.adapted_properties, value.extended_properties)
        for name, item in part.items()
    }
    wrapped = tuple(decode(item) for item in value.property_sets)
    if ENUM in value.types:
        number = wrapped[0] if wrapped and isinstance(wrapped[0], int) else None
        return HostObject(tuple(value.types), properties, value.to_string or "", number)
    if wrapped and not value.adapted_properties:
        return wrapped[0]  # a list, or a text with notes such as PSPath: the notes say nothing new
    return HostObject(tuple(value.types), properties, value.to_string or "")


def _known(value: object) -> HostValue:
    """Read a type that the library has a class of its own for, by what it says of itself."""
    metas = (
        *getattr(value, "_adapted_properties", ()),
        *getattr(value, "_extended_properties", ()),
    )
    if not metas:
        return str(value)
    properties = {meta.name: decode(getattr(value, attribute)) for attribute, meta in metas}
    return HostObject(tuple(getattr(value, "_types", ())), properties, str(value))


def _text_or_list(text: str) -> HostValue:
    """Return the text, or the list that the library left as CLIXML (a generic collection)."""
    if not text.startswith(tuple(f"<{tag}" for tag in LISTS)):
        return text
    try:
        root = ET.fromstring(text)  # noqa: S314  # cut by the library from a document it has parsed
    except ET.ParseError:
        return text
    return tuple(_element(child) for child in root) if root.tag in LISTS else text


def _element(element: ET.Element) -> HostValue:
    text = element.text or ""
    if element.tag == "Nil":
        return None
    if element.tag == "B":
        return text.lower() == "true"
    if element.tag in WHOLE:
        return int(text)
    if element.tag != "Obj":
        return text
    types = tuple(t.text or "" for t in element.findall("TN/T"))
    named = [child for part in ("Props", "MS") for child in element.findall(f"{part}/*")]
    properties = {child.attrib.get("N", ""): _element(child) for child in named}
    numbers = [int(cast(str, child.text)) for child in element if child.tag in WHOLE]
    said = element.findtext("ToString") or ""
    return HostObject(types, properties, said, numbers[0] if numbers and ENUM in types else None)
