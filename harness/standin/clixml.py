"""Values to CLIXML as PowerShell remoting serialises them: depth 1.

An object's own properties are written out; an object inside a property becomes its ToString text,
and a list of objects there a list of texts ([MS-PSRP] 2.2.5). Written by hand because output is
most of what a host sends, and a general serialiser costs ten times as much.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

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

Encrypt = Callable[[str], str]

CUSTOM_OBJECT = "System.Management.Automation.PSCustomObject"
_ENUM_BASES = ("System.Enum", "System.ValueType", "System.Object")
_ARRAY = ("System.Object[]", "System.Array", "System.Object")
_HASHTABLE = ("System.Collections.Hashtable", "System.Object")
_CREDENTIAL = ("System.Management.Automation.PSCredential", "System.Object")
_TEXT_TYPES = {  # types that are one element of text: a Record of theirs has only a text
    "System.Version": "Version",
    "System.Uri": "URI",
    "System.Xml.XmlDocument": "XD",
    "System.Management.Automation.ScriptBlock": "SBK",
}
# Control characters, surrogates and everything beyond 16 bits travel as _xHHHH_ per UTF-16 unit;
# an underscore that would read as the start of one travels as _x005F_.
_ESCAPED = re.compile(
    '[\0-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff&<>"]|_(?=[xX])'
)
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def escape(text: str) -> str:
    """Return the text as it stands in an element or attribute of CLIXML."""
    return _ESCAPED.sub(_escape_one, text) if _ESCAPED.search(text) else text


def _escape_one(found: re.Match[str]) -> str:
    character = found[0]
    if character in _XML:
        return _XML[character]
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"_x{units[i]:02X}{units[i + 1]:02X}_" for i in range(0, len(units), 2))


@lru_cache(maxsize=4096)
def _attribute(name: str) -> str:
    return f' N="{escape(name)}"' if name else ""


def _integer_tag(number: int) -> str:
    if -(2**31) <= number < 2**31:
        return "I32"
    if -(2**63) <= number < 2**63:
        return "I64"
    return "U64" if 0 <= number < 2**64 else "D"


def format_double(number: float) -> str:
    """Return a Double as XmlConvert writes it, e.g. ``1``, ``2.5``, ``1E+20``, ``INF``."""
    if number != number:  # noqa: PLR0124 - the definition of NaN
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "INF" if number > 0 else "-INF"
    text = repr(number).upper()
    return text.removesuffix(".0")


def format_duration(span: timedelta) -> str:
    """Return a TimeSpan as an XML duration, e.g. ``PT0S``, ``P1DT2H3M4.5S``."""
    sign, span = ("-", -span) if span < timedelta() else ("", span)
    hours, rest = divmod(span.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    exact = f"{seconds}.{span.microseconds:06}".rstrip("0") if span.microseconds else str(seconds)
    days = f"{span.days}D" if span.days else ""
    parts = ((hours, f"{hours}H"), (minutes, f"{minutes}M"), (exact != "0", f"{exact}S"))
    time = "".join(text for present, text in parts if present)
    if not days and not time:
        return "PT0S"
    return f"{sign}P{days}" + (f"T{time}" if time else "")


_TEXT: dict[type, tuple[str, Callable[..., str]]] = {
    str: ("S", escape),
    bool: ("B", lambda value: "true" if value else "false"),
    float: ("Db", format_double),
    bytes: ("BA", lambda value: base64.b64encode(value).decode()),
    UUID: ("G", str),
    datetime: ("DT", lambda value: value.isoformat().replace("+00:00", "Z")),
    timedelta: ("TS", format_duration),
    Byte: ("By", str),
    UInt16: ("U16", str),
    UInt32: ("U32", str),
    UInt64: ("U64", str),
    Int64: ("I64", str),
}


class Writer:
    """Writes one CLIXML document; ids of objects and type lists count up within it."""

    def __init__(self, encrypt: Encrypt | None = None) -> None:
        self._encrypt = encrypt
        self._objects = 0
        self._types: dict[tuple[str, ...], int] = {}

    def value(self, value: Value, name: str = "", depth: int = 1) -> str:
        """Return the element of a value; ``name`` is set when it is a property."""
        known = _TEXT.get(type(value))
        if known:
            tag, text = known
            return f"<{tag}{_attribute(name)}>{text(value)}</{tag}>"
        if value is None:
            return f"<Nil{_attribute(name)} />"
        if isinstance(value, int):
            tag = _integer_tag(value)
            return f"<{tag}{_attribute(name)}>{int(value)}</{tag}>"
        if isinstance(value, EnumValue):
            return self._enum(value, name)
        if isinstance(value, Record):
            return self._record(value, name, depth)
        return self._compound(value, name, depth)

    def _compound(self, value: Value, name: str, depth: int) -> str:
        if isinstance(value, list):
            start = self.opening(_ARRAY, name)
            items = "".join([self.value(item, depth=depth) for item in value])
            return f"{start}<LST>{items}</LST></Obj>"
        if isinstance(value, dict):
            return self._hashtable(value, name, depth)
        if isinstance(value, Credential):
            return self._credential(value, name)
        message = f"no CLIXML for a {type(value).__name__}"
        raise TypeError(message)

    def opening(self, types: tuple[str, ...], name: str = "") -> str:
        """Return the start of an Obj element, to be called before its content is written.

        A type list is written once; later objects refer to it.
        """
        number, self._objects = self._objects, self._objects + 1
        start = f'<Obj RefId="{number}"{_attribute(name)}>'
        if not types:
            return start
        known = self._types.get(types)
        if known is not None:
            return f'{start}<TNRef RefId="{known}" />'
        self._types[types] = len(self._types)
        names = "".join([f"<T>{escape(each)}</T>" for each in types])
        return f'{start}<TN RefId="{self._types[types]}">{names}</TN>'

    def _enum(self, value: EnumValue, name: str) -> str:
        start = self.opening((value.type_name, *_ENUM_BASES), name)
        return f"{start}<ToString>{escape(value.name)}</ToString>{self.value(value.number)}</Obj>"

    def _record(self, record: Record, name: str, depth: int) -> str:
        tag = _TEXT_TYPES.get(record.type_names[0])
        if tag:
            return f"<{tag}{_attribute(name)}>{escape(record.text)}</{tag}>"
        if depth < 1:
            return f"<S{_attribute(name)}>{escape(plain_text(record))}</S>"
        start = self.opening(record.type_names, name)
        properties = "".join(
            [self.value(value, key, depth - 1) for key, value in record.properties.items()]
        )
        if CUSTOM_OBJECT in record.type_names:
            return f"{start}<MS>{properties}</MS></Obj>"
        text = f"<ToString>{escape(str(record))}</ToString>"
        return f"{start}{text}<Props>{properties}</Props></Obj>"

    def _hashtable(self, table: dict[str, Value], name: str, depth: int) -> str:
        start = self.opening(_HASHTABLE, name)
        entries = "".join(
            [
                f"<En>{self.value(key, 'Key')}{self.value(value, 'Value', depth)}</En>"
                for key, value in table.items()
            ]
        )
        return f"{start}<DCT>{entries}</DCT></Obj>"

    def _credential(self, credential: Credential, name: str) -> str:
        if self._encrypt is None:
            raise TypeError("a PSCredential cannot be written before keys were exchanged")
        secret = f'<SS N="Password">{self._encrypt(credential.password)}</SS>'
        properties = f"<Props>{self.value(credential.username, 'UserName')}{secret}</Props>"
        text = f"<ToString>{_CREDENTIAL[0]}</ToString>"
        return f"{self.opening(_CREDENTIAL, name)}{text}{properties}</Obj>"


def plain_text(value: Value) -> str:
    """Return what PowerShell's string conversion gives, e.g. ``@{Name=a; Id=1}``."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(plain_text(item) for item in value)
    if isinstance(value, float):
        return format_double(value)
    if isinstance(value, Record) and not value.text and CUSTOM_OBJECT in value.type_names:
        inside = "; ".join(f"{key}={plain_text(each)}" for key, each in value.properties.items())
        return f"@{{{inside}}}"
    return str(value)
