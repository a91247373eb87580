"""Conversion of an argument to a parameter's type, by the rules of PowerShell's binder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from uuid import UUID

from harness.standin.definition import Enum, ParameterType
from harness.standin.literals import number
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


class Unconvertible(Exception):
    """The value does not become the type; ``error_id`` is the first half of the error's id."""

    def __init__(self, reason: str, error_id: str = "CannotConvertArgumentNoMessage") -> None:
        self.reason, self.error_id = reason, error_id
        super().__init__(reason)


def convert(value: Value, to: ParameterType) -> Value:
    """Return the value as the type has it; arrays are always lists.

    Raises Unconvertible. None stays None for reference and nullable types.
    """
    if _is_bytes(value, to):
        return value
    if to.array:
        items = value if isinstance(value, list) else [value]
        return None if value is None else [_element(item, to) for item in items]
    if isinstance(value, list) and to.name not in ("Object", "PSObject"):
        raise Unconvertible(
            f"Cannot convert 'System.Object[]' to the type '{to.full_name}' required by the"
            " parameter. Specified method is not supported.",
            "CannotConvertArgument",
        )
    return _element(value, to)


def fits(value: Value, to: ParameterType) -> bool:
    """Return whether the value is of the type as it stands: no conversion is needed."""
    if _is_bytes(value, to):
        return True
    if to.array and isinstance(value, list):
        return all(fits(item, ParameterType(to.name, enum=to.enum)) for item in value)
    if to.enum is not None:
        return isinstance(value, EnumValue) and value.type_name == to.enum.type_name
    if to.name in ("Object", "PSObject"):
        return True
    if isinstance(value, Record):
        return value.live is not None and _is_a(value, to.name)
    return _is_plain(value, to.name)


_PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "String": str, "Boolean": bool, "SwitchParameter": bool, "Guid": UUID, "DateTime": datetime,
    "TimeSpan": timedelta, "Hashtable": dict, "IDictionary": dict, "PSCredential": Credential,
    "Double": float, "Int64": Int64, "UInt32": UInt32, "UInt64": UInt64, "UInt16": UInt16,
    "Byte": Byte,
}  # fmt: skip


def _is_plain(value: Value, name: str) -> bool:
    if name in ("Int32", "Int16"):
        return type(value) is int and _RANGES[name][0] <= value <= _RANGES[name][1]
    kind = _PYTHON_TYPES.get(name)
    return kind is not None and isinstance(value, kind)


def _is_a(value: Record, name: str) -> bool:
    wanted = name.rpartition(".")[2]
    return any(t.partition("#")[0].rpartition(".")[2] == wanted for t in value.type_names)


def _is_bytes(value: Value, to: ParameterType) -> bool:
    """Whether a byte array crosses as it is: nobody boxes each byte of an image."""
    return isinstance(value, bytes) and to.array and to.name == "Byte"


def _element(value: Value, to: ParameterType) -> Value:
    if to.enum is not None:
        return _to_enum(value, to.enum, nullable=to.nullable)
    if value is None and (to.nullable or to.name not in _VALUE_TYPES):
        return "" if to.name == "String" else None
    if to.name in _RANGES:
        return _to_integer(value, to.name)
    known = _CONVERTERS.get(to.name)
    return known(value) if known is not None else _to_live(value, to)


# --- numbers -------------------------------------------------------------------------------------

_RANGES: Mapping[str, tuple[int, int]] = {
    "Byte": (0, (1 << 8) - 1), "Int16": (-(1 << 15), (1 << 15) - 1), "UInt16": (0, (1 << 16) - 1),
    "Int32": (-(1 << 31), (1 << 31) - 1), "UInt32": (0, (1 << 32) - 1),
    "Int64": (-(1 << 63), (1 << 63) - 1), "UInt64": (0, (1 << 64) - 1),
}  # fmt: skip
_INTEGER_CLASSES: Mapping[str, Callable[[int], int]] = {
    "Byte": Byte, "Int16": int, "UInt16": UInt16, "Int32": int, "UInt32": UInt32,
    "Int64": Int64, "UInt64": UInt64,
}  # fmt: skip
_VALUE_TYPES = frozenset(_RANGES) | {
    "Boolean", "SwitchParameter", "Guid", "DateTime", "TimeSpan", "Double", "Char",
}  # fmt: skip


def _to_integer(value: Value, name: str) -> Value:
    found = _integer_in(value)
    if found is None:
        raise _cannot(value, f"System.{name}", "Input string was not in a correct format.")
    low, high = _RANGES[name]
    if not low <= found <= high:
        reason = (
            "Value was either too large or too small for "
            + ("an " if name in ("Int16", "Int32", "Int64") else "a ")
            + f"{'unsigned byte' if name == 'Byte' else name}."
        )
        raise _cannot(value, f"System.{name}", reason)
    return _INTEGER_CLASSES[name](found)


def _integer_in(value: Value) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return 0
    if isinstance(value, EnumValue):
        return value.number
    parsed = number(value) if isinstance(value, str) else value
    return round(parsed) if isinstance(parsed, int | float) and isfinite(parsed) else None


def _to_double(value: Value) -> Value:
    parsed = number(value) if isinstance(value, str) else value
    if isinstance(parsed, int | float) and abs(parsed) < float("inf"):
        return float(parsed)
    raise _cannot(value, "System.Double", "Input string was not in a correct format.")


def _to_boolean(value: Value) -> Value:
    if isinstance(value, int | float):
        return bool(value)
    raise Unconvertible(
        f'Cannot convert value "{_shown(value)}" to type "System.Boolean". Boolean parameters'
        " accept only Boolean values and numbers, such as $True, $False, 1 or 0 instead.",
        "CannotConvertArgument",
    )


# --- text and times ------------------------------------------------------------------------------


def text_of(value: Value) -> str:
    """Return what ``[string]$value`` gives."""
    if isinstance(value, list):
        return " ".join(text_of(item) for item in value)
    if isinstance(value, dict):
        return "System.Collections.Hashtable"
    if isinstance(value, datetime):
        return value.strftime("%m/%d/%Y %H:%M:%S")
    return timespan_text(value) if isinstance(value, timedelta) else _shown(value)


def timespan_text(span: timedelta) -> str:
    """Return a TimeSpan as .NET prints it: ``1.02:03:04.5000000``, no days and fraction if zero."""
    micros = abs(span) // timedelta(microseconds=1)
    seconds, micros = divmod(micros, 1_000_000)
    days, seconds = divmod(seconds, 86400)
    clock = f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    sign = "-" if span < timedelta(0) else ""
    return sign + (f"{days}." if days else "") + clock + (f".{micros:06}0" if micros else "")


def _shown(value: Value) -> str:
    if isinstance(value, Credential):
        return "System.Management.Automation.PSCredential"
    if isinstance(value, bytes):
        return " ".join(str(byte) for byte in value)
    return "" if value is None else str(value)


def _to_guid(value: Value) -> Value:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(_shown(value))
    except ValueError:
        raise _cannot(
            value, "System.Guid",
            "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).",
        ) from None  # fmt: skip


_DATE_FORMATS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y")


def _to_datetime(value: Value) -> Value:
    if isinstance(value, datetime):
        return value
    written = _shown(value)
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        pass
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(written, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise _cannot(value, "System.DateTime", "String was not recognized as a valid DateTime.")


_TIMESPAN = re.compile(r"(-?)(?:(\d+)\.)?(\d+):(\d+)(?::(\d+)(?:\.(\d{1,7}))?)?$")


def _to_timespan(value: Value) -> Value:
    if isinstance(value, timedelta):
        return value
    try:
        return _timespan(value)
    except (OverflowError, ValueError):
        why = "String was not recognized as a valid TimeSpan."
        raise _cannot(value, "System.TimeSpan", why) from None


def _timespan(value: Value) -> timedelta:
    """Read ``1.02:03:04.5``, or a number of ticks; raises ValueError or OverflowError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return timedelta(microseconds=value / 10)  # ticks of 100 ns
    found = _TIMESPAN.match(_shown(value))
    if found is None:
        raise ValueError(value)
    sign, days, hours, minutes, seconds, fraction = found.groups()
    span = timedelta(
        days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0),
        microseconds=int((fraction or "0").ljust(7, "0")) // 10,
    )  # fmt: skip
    return -span if sign else span


def _to_char(value: Value) -> Value:
    written = _shown(value)
    if len(written) == 1:
        return written
    raise _cannot(value, "System.Char", "String must be exactly one character long.")


# --- objects -------------------------------------------------------------------------------------


def _to_enum(value: Value, enum: Enum, *, nullable: bool) -> Value:
    if value is None and nullable:
        return None
    if isinstance(value, EnumValue) and value.type_name == enum.type_name:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return _enum_by_number(int(value), enum)
    return _enum_by_name("" if value is None else str(value), enum)


def _enum_by_number(wanted: int, enum: Enum) -> EnumValue:
    for name, known in enum.members.items():
        if known == wanted and wanted >= 0:
            return EnumValue(enum.type_name, name, known)
    raise _not_in_enum(str(wanted), enum)


def _enum_by_name(written: str, enum: Enum) -> EnumValue:
    low = written.strip().lower()
    if low.isdigit():
        return _enum_by_number(int(low), enum)
    exact = [n for n in enum.members if n.lower() == low]
    found = exact or [n for n in enum.members if low and n.lower().startswith(low)]
    if len(found) != 1:
        raise _not_in_enum(written, enum)
    return EnumValue(enum.type_name, found[0], enum.members[found[0]])


def _not_in_enum(written: str, enum: Enum) -> Unconvertible:
    return Unconvertible(
        f'Cannot convert value "{written}" to type "{enum.type_name}". Error: "Unable to match the'
        f" identifier name {written} to a valid enumerator name. Specify one of the following"
        f' enumerator names and try again: {", ".join(enum.members)}"'
    )


def _to_hashtable(value: Value) -> Value:
    if isinstance(value, dict):
        return value
    raise _cannot(value, "System.Collections.Hashtable", "")


def _to_credential(value: Value) -> Value:
    if isinstance(value, Credential):
        return value
    raise _cannot(value, "System.Management.Automation.PSCredential", "")


def _to_live(value: Value, to: ParameterType) -> Value:
    """Return an object of the host itself; text stands for a CimSession's computer name."""
    if isinstance(value, Record) and value.live is not None and _is_a(value, to.name):
        return value
    if to.name == "CimSession" and isinstance(value, str):
        return value
    deserialised = isinstance(value, Record) and value.live is None
    reason = "The object was deserialized and is no longer live." if deserialised else ""
    raise _cannot(value, to.full_name, reason)


def _cannot(value: Value, type_name: str, why: str) -> Unconvertible:
    source = value.type_names[0] if isinstance(value, Record) else type(value).__name__
    shown = "null" if value is None else _shown(value)
    if isinstance(value, Record):
        text = f'Cannot convert the "{shown}" value of type "{source}" to type "{type_name}".'
    else:
        text = f'Cannot convert value "{shown}" to type "{type_name}".'
    return Unconvertible(f'{text} Error: "{why}"' if why else text)


def _as_is(value: Value) -> Value:
    return value


_CONVERTERS: Mapping[str, Callable[[Value], Value]] = {
    "String": text_of, "Boolean": _to_boolean, "SwitchParameter": _to_boolean, "Guid": _to_guid,
    "DateTime": _to_datetime, "TimeSpan": _to_timespan, "Double": _to_double, "Char": _to_char,
    "Hashtable": _to_hashtable, "IDictionary": _to_hashtable, "PSCredential": _to_credential,
    "Object": _as_is, "PSObject": _as_is, "Version": text_of, "Uri": text_of,
    "CultureInfo": text_of,
}  # fmt: skip
