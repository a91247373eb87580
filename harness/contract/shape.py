"""From the CLIXML of one object to its shape: what can be compared, and sent to others.

A shape holds type names, property names, element names (``I64``, ``S``, ``B`` … of [MS-PSRP]
2.2.5), names and numbers of enums, and true and false. Texts, ids, dates and the keys of tables are
never in it: they may name machines, people and places. Numbers are in it only of the recording's
own VM and disks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias
from xml.etree import ElementTree as ET

Shape: TypeAlias = "dict[str, Shape | list[Shape] | list[str] | str | int | bool]"

ENUM = "System.Enum"
LISTS = ("LST", "IE", "QUE", "STK")
WHOLE = ("By", "SB", "U16", "I16", "U32", "I32", "U64", "I64")
DESERIALIZED = "Deserialized."
CHANGING = frozenset({"cpuusage", "memorydemand", "memoryassigned", "filesize", "mainscoreused"})
"""Numbers that differ from one moment to the next on one host."""


def shape_of(clixml: str, *, numbers: bool) -> Shape:
    """Return the shape of one output object; ``numbers``: the object is the recording's own."""
    root = ET.fromstring(clixml)  # noqa: S314  # the session has parsed it before
    return _Reader(numbers).top(root)


class _Reader:
    """Reads one document: a type list is written once, and referred to later."""

    def __init__(self, numbers: bool) -> None:  # noqa: FBT001  # see shape_of
        self._numbers = numbers
        self._types: dict[str, list[str]] = {}

    def top(self, root: ET.Element) -> Shape:
        inner = [child for child in root if _local(root) == "Objs"]
        return self.read(inner[0] if inner else root, "")

    def read(self, element: ET.Element, name: str) -> Shape:
        tag = _local(element)
        if tag != "Obj":
            return self._plain(tag, element.text or "", name)
        types = self._chain(element)
        found = self._special(element, types, name)
        return found if found is not None else self._object(element, types)

    def _plain(self, tag: str, text: str, name: str) -> Shape:
        if tag == "B":
            return {"is": tag, "value": text.lower() == "true"}
        if tag in WHOLE and self._numbers and name.lower() not in CHANGING:
            return {"is": tag, "value": int(text)}
        return {"is": tag}

    def _special(self, element: ET.Element, types: list[str], name: str) -> Shape | None:
        """Read an enum, a list, a table, or a plain value with notes."""
        parts = {_local(child): child for child in element}
        if ENUM in types:
            number = next((tag for tag in WHOLE if tag in parts), "")
            said = parts["ToString"].text or "" if "ToString" in parts else ""
            value = int(parts[number].text or "0") if number else 0
            return {"is": "enum", "types": types, "as": number, "name": said, "number": value}
        if listed := next((tag for tag in LISTS if tag in parts), ""):
            items = _distinct(self.read(child, name) for child in parts[listed])
            return {"is": "list", "types": types, "as": listed, "of": list(items)}
        if "DCT" in parts:
            return {"is": "table", "types": types}
        if "Props" in parts:
            return None
        plain = next(
            (c for c in element if _local(c) not in ("TN", "TNRef", "ToString", "MS")), None
        )
        return None if plain is None else self._plain(_local(plain), plain.text or "", name)

    def _object(self, element: ET.Element, types: list[str]) -> Shape:
        own: Shape = {}
        notes: Shape = {}
        said = "none"
        for child in element:
            tag = _local(child)
            if tag == "ToString":
                said = "type" if child.text in (types[0], _bare(types[0])) else "text"
            if tag in ("Props", "MS"):
                into = own if tag == "Props" else notes
                into |= {_name(item): self.read(item, _name(item)) for item in child}
        return {"is": "object", "types": types, "text": said, "properties": own, "notes": notes}

    def _chain(self, element: ET.Element) -> list[str]:
        for child in element:
            if _local(child) == "TN":
                names = [t.text or "" for t in child]
                self._types[child.get("RefId", "")] = names
                return names
            if _local(child) == "TNRef":
                return self._types.get(child.get("RefId", ""), [])
        return [""]


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _name(element: ET.Element) -> str:
    return element.get("N", "")


def _bare(name: str) -> str:
    return name.removeprefix(DESERIALIZED)


def _distinct(shapes: Iterator[Shape]) -> Iterator[Shape]:
    seen: list[Shape] = []
    for shape in shapes:
        if shape not in seen:
            seen.append(shape)
            yield shape


def types_in(shape: Shape) -> tuple[str, ...]:
    """Return the type chain of a shape, without the mark of a remote object."""
    found = shape.get("types")
    return tuple(_bare(str(t)) for t in found) if isinstance(found, list) else ()


def properties_of(shape: Shape) -> Mapping[str, Shape]:
    """Return the properties of an object, notes behind its own."""
    found: dict[str, Shape] = {}
    for part in ("properties", "notes"):
        held = shape.get(part)
        if isinstance(held, dict):
            found |= {name: each for name, each in held.items() if isinstance(each, dict)}
    return found
