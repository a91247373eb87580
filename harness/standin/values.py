"""Values as a PowerShell host knows them; the wire turns them into CLIXML, cmdlets make them.

Plain Python values stand for their nearest .NET type: ``None``, ``bool``, ``int`` (Int32, or Int64
when it does not fit), ``float`` (Double), ``str``, ``bytes`` (Byte[]), ``uuid.UUID`` (Guid),
``datetime`` (DateTime), ``timedelta`` (TimeSpan), ``list`` (array), ``dict`` (Hashtable).
Sized integers are the subclasses of ``int`` below, so arithmetic stays plain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID


class Sized(int):
    """Base of the sized integers: ``bits`` wide, ``signed`` or not."""

    bits = 32
    signed = True


class Byte(Sized):
    """System.Byte."""

    bits, signed = 8, False


class UInt16(Sized):
    """System.UInt16."""

    bits, signed = 16, False


class UInt32(Sized):
    """System.UInt32."""

    bits, signed = 32, False


class UInt64(Sized):
    """System.UInt64."""

    bits, signed = 64, False


class Int64(Sized):
    """System.Int64."""

    bits = 64


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value of a .NET enum: the enum's full type name, the value's name and number."""

    type_name: str
    name: str
    number: int

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True)
class Record:
    """A .NET object: its type chain (most derived first), properties, ToString and what it is of.

    ``live`` is the stand-in's own object behind it (a Vm, a Disk, …). What comes back over the wire
    has none: a cmdlet that needs a live object refuses such a record.
    """

    type_names: tuple[str, ...]
    properties: dict[str, Value] = field(default_factory=dict)
    text: str = ""
    live: object | None = None

    def __str__(self) -> str:
        return self.text or self.type_names[0]


@dataclass(frozen=True, slots=True)
class Credential:
    """A PSCredential that arrived encrypted; the password never leaves in a repr."""

    username: str
    password: str = field(repr=False)


Value: TypeAlias = (
    "bool | int | float | str | bytes | UUID | datetime | timedelta | EnumValue | Record"
    " | Credential | list[Value] | dict[str, Value] | None"
)
