"""Host calls as data: nothing here, and nobody above, composes PowerShell text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TypeAlias

from harness.secret import Secret
from harness.units import Bytes

Value: TypeAlias = (
    "bool | int | str | bytes | Bytes | timedelta | Secret | Credential"
    " | tuple[Value, ...] | Mapping[str, Value] | None"
)
"""What a parameter may be. Bytes go as whole bytes (Int64), True is also a switch."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A PSCredential: a user of the host's world, and a password that cannot be printed."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """One cmdlet with named parameters.

    ``safe_to_repeat``: sending it twice has the same effect as once, so a lost answer may be
    asked for again (Get-…, Test-…; never New-…, Debug-VM).
    """

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    safe_to_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Cmdlets joined by pipes, where live host objects must go from one to the next."""

    cmdlets: tuple[Cmdlet, ...]


@dataclass(frozen=True, slots=True)
class FixedScript:
    """A ``.ps1`` file of ``harness/host/scripts``, sent verbatim; values only by named parameter.

    ``name`` is the file's stem; the closed list with reasons is in ``harness/host/scripts``.
    """

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)


Call: TypeAlias = Cmdlet | Pipeline | FixedScript


def repeatable(call: Call) -> bool:
    """Return whether sending the call twice has the same effect as once."""
    if isinstance(call, Pipeline):
        return all(cmdlet.safe_to_repeat for cmdlet in call.cmdlets)
    return isinstance(call, Cmdlet) and call.safe_to_repeat


class GapPath(Enum):
    """The two ways to set the low MMIO gap: bytes by ``Set-VM`` (2016 on), or MB by WMI."""

    CMDLET = "Set-VM"
    WMI = "WMI"
