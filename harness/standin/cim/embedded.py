"""Embedded CIM instances as text: what ``GetText(1)`` (CIM-XML DTD 2.0) makes.

<INSTANCE CLASSNAME="C"><PROPERTY NAME="P" TYPE="uint64"><VALUE>1</VALUE></PROPERTY></INSTANCE>
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET


class BadInstance(Exception):
    """The text is no embedded instance."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance: the class, and each property's texts (one, or those of an array) and type."""

    class_name: str
    values: Mapping[str, tuple[str, ...]]
    types: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return a property's first text, "" where there is none."""
        return (self.values.get(name) or ("",))[0]


def read(text: str) -> Instance:
    """Read the text; properties without a value are left out."""
    if "<!" in text:
        raise BadInstance("a document type is not allowed")
    try:
        root = ET.fromstring(text)  # noqa: S314 - no DTD gets here, so no entity can be declared
    except ET.ParseError as wrong:
        raise BadInstance(str(wrong)) from None
    if root.tag != "INSTANCE" or "CLASSNAME" not in root.attrib:
        raise BadInstance(root.tag)
    found = [p for p in root if p.tag in ("PROPERTY", "PROPERTY.ARRAY")]
    named = {p.attrib.get("NAME", ""): p for p in found}
    values = {name: tuple(v.text or "" for v in p.iter("VALUE")) for name, p in named.items()}
    return Instance(
        root.attrib["CLASSNAME"],
        {name: texts for name, texts in values.items() if texts},
        {name: p.attrib.get("TYPE", "") for name, p in named.items()},
    )
