"""CLIXML to values: what a client sent as parameter, input or message.

Objects that come back lost what was behind them: they are Records without ``live``, their type
chain kept, so a cmdlet that needs a live object can refuse them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree as ET

from harness.standin.values import (
    Byte,
    Credential,
    EnumValue,
    Int64,
    Record,
    UInt16,
    UInt32,
    UInt64,
    Value,
)

Decrypt = Callable[[str], str]

_UNIT = re.compile("_x([0-9a-fA-F]{4})_")  # a UTF-16 unit, e.g. _x000A_
_SPAN = re.compile(  # -P1DT2H3M4.5S
    r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_LISTS = ("LST", "IE", "QUE", "STK")
_CREDENTIAL = "System.Management.Automation.PSCredential"
_CUSTOM = ("System.Management.Automation.PSCustomObject", "System.Object")


class NotClixml(Exception):
    """The document is not CLIXML that this host understands."""


def unescape(text: str) -> str:
    """Return the text behind an element's or attribute's content."""
    if "_x" not in text:
        return text
    plain = _UNIT.sub(lambda found: chr(int(found[1], 16)), text)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read_duration(text: str) -> timedelta:
    """Read a TimeSpan, e.g. ``PT1.5S``. Raises NotClixml."""
    found = _SPAN.fullmatch(text)
    if not found:
        message = f"not a duration: {text}"
        raise NotClixml(message)
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups()[1:])
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -span if found[1] else span


_TEXT: dict[str, Callable[[str], Value]] = {
    "S": unescape,
    "C": lambda text: chr(int(text)),
    "B": lambda text: text.lower() == "true",
    "DT": datetime.fromisoformat,
    "TS": read_duration,
    "By": Byte,
    "SB": int,
    "U16": UInt16,
    "I16": int,
    "U32": UInt32,
    "I32": int,
    "U64": UInt64,
    "I64": Int64,
    "Sg": float,
    "Db": float,
    "D": float,
    "BA": base64.b64decode,
    "G": UUID,
    "URI": unescape,
    "Version": unescape,
    "XD": unescape,
    "SBK": unescape,
}


def read(document: bytes, decrypt: Decrypt) -> Value:
    """Read one document. Raises NotClixml; ``decrypt`` opens SecureStrings."""
    if b"<!DOCTYPE" in document:
        raise NotClixml("a document type declaration is not accepted")
    try:
        root = ET.fromstring(document)  # noqa: S314 - no declaration, so no entity expands
        return _Reader(decrypt).value(root)
    except (ET.ParseError, ValueError, KeyError, binascii.Error, RecursionError) as error:
        message = f"not CLIXML: {type(error).__name__}"
        raise NotClixml(message) from error


class _Reader:
    """One document: objects and type lists are referred to by their number."""

    def __init__(self, decrypt: Decrypt) -> None:
        self._decrypt = decrypt
        self._objects: dict[str, Value] = {}
        self._types: dict[str, tuple[str, ...]] = {}

    def value(self, element: ET.Element) -> Value:
        """Return the value of an element."""
        known = _TEXT.get(element.tag)
        if known:
            return known(element.text or "")
        if element.tag == "Obj":
            return self._object(element)
        if element.tag == "Nil":
            return None
        if element.tag == "Ref":
            return self._objects[element.attrib["RefId"]]
        if element.tag == "SS":
            return Credential("", self._decrypt(element.text or ""))
        message = f"unknown element {element.tag}"
        raise NotClixml(message)

    def _object(self, element: ET.Element) -> Value:
        types: tuple[str, ...] = ()
        text, core, properties = "", None, {}
        for child in element:
            if child.tag in ("TN", "TNRef"):
                types = self._type_names(child)
            elif child.tag == "ToString":
                text = unescape(child.text or "")
            elif child.tag in ("Props", "MS"):
                properties.update(self._properties(child))
            else:
                core = child
        value = self._shape(types, text, core, properties)
        self._objects[element.get("RefId", "")] = value
        return value

    def _shape(
        self,
        types: tuple[str, ...],
        text: str,
        core: ET.Element | None,
        properties: dict[str, Value],
    ) -> Value:
        if core is not None:
            return self._core(types, text, core)
        if _CREDENTIAL in types:
            return _credential(properties)
        return Record(types or _CUSTOM, properties, text)

    def _core(self, types: tuple[str, ...], text: str, core: ET.Element) -> Value:
        """Return what the object wraps: a list, a table, an enum's number or a plain value."""
        if core.tag in _LISTS:
            return [self.value(child) for child in core]
        if core.tag == "DCT":
            return self._table(core)
        value = self.value(core)
        if "System.Enum" in types or "Deserialized.System.Enum" in types:
            number = value if isinstance(value, int) else int(str(value))
            return EnumValue(types[0].removeprefix("Deserialized."), text or str(number), number)
        return value

    def _table(self, core: ET.Element) -> dict[str, Value]:
        table: dict[str, Value] = {}
        for entry in core:
            pair = {child.get("N"): self.value(child) for child in entry}
            table[str(pair["Key"])] = pair["Value"]
        return table

    def _properties(self, element: ET.Element) -> dict[str, Value]:
        return {unescape(child.get("N", "")): self.value(child) for child in element}

    def _type_names(self, element: ET.Element) -> tuple[str, ...]:
        number = element.attrib["RefId"]
        if element.tag == "TN":
            self._types[number] = tuple(unescape(child.text or "") for child in element)
        return self._types[number]


def _credential(properties: dict[str, Value]) -> Credential:
    secret = properties.get("Password")
    if not isinstance(secret, Credential):
        raise NotClixml("a PSCredential without a password")
    return Credential(str(properties.get("UserName", "")), secret.password)
