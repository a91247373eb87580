"""What the harness needs of a Hyper-V host: run a call, get typed objects and the raw text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Protocol, TypeAlias

from harness.errors import EvidenceError
from harness.evidence import Evidence
from harness.host.command import Call

HostValue: TypeAlias = "bool | int | float | str | HostObject | tuple[HostValue, ...] | None"


@dataclass(frozen=True, slots=True)
class HostObject:
    """One object as the host sent it (serialised at depth 1: nested objects are their text).

    ``text`` is ToString() (an enum's name), ``number`` an enum's number, ``type_names`` the type
    chain, most derived first. Property names are looked up without regard to case.
    """

    type_names: tuple[str, ...]
    properties: Mapping[str, HostValue]
    text: str = ""
    number: int | None = None

    def __getitem__(self, name: str) -> HostValue:
        for key, value in self.properties.items():
            if key.lower() == name.lower():
                return value
        raise EvidenceError(self.type_names[0] if self.type_names else "object", name, repr(self))

    def integer(self, name: str) -> int:
        """Return an integer property; an enum gives its number, numeric text its number."""
        value = self[name]
        if isinstance(value, HostObject) and value.number is not None:
            return value.number
        if isinstance(value, str) and value.lstrip("-").isdigit():
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise EvidenceError(f"property {name}", "integer", repr(value))
        return value

    def string(self, name: str) -> str:
        """Return a property as text; an enum gives its name, null is the empty string."""
        value = self[name]
        if isinstance(value, HostObject):
            return value.text
        return "" if value is None else str(value)

    def strings(self, name: str) -> tuple[str, ...]:
        """Return a list property as texts; null is the empty tuple, one value a tuple of one."""
        value = self[name]
        items = value if isinstance(value, tuple) else () if value is None else (value,)
        return tuple(i.text if isinstance(i, HostObject) else str(i) for i in items)


@dataclass(frozen=True, slots=True)
class Answer:
    """All objects that a call put out, and the raw text that stands behind them."""

    objects: tuple[HostValue, ...]
    evidence: Evidence

    def records(self) -> Iterator[HostObject]:
        """Yield the objects, leaving out bare values."""
        return (item for item in self.objects if isinstance(item, HostObject))

    def one(self) -> HostObject:
        """Return the only object; raise EvidenceError when there is none or several."""
        found = tuple(self.records())
        if len(found) != 1:
            raise EvidenceError(
                self.evidence.asked, f"single object ({len(found)} came)", self.evidence.answer
            )
        return found[0]


class RefusedBy(Enum):
    """Who said no: the cmdlet itself, PowerShell's parameter binding before it, or a WMI job."""

    CMDLET = "cmdlet"
    BINDING = "parameter binding"
    JOB = "WMI job"
    METHOD = "WMI method"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A host's no. ``code`` is never localised: a FullyQualifiedErrorId, or numbers of a job.

    ``InvalidParameter,Microsoft.HyperV.PowerShell.Commands.SetVM``, or
    ``JobState 10, ErrorCode 32773``, or ``ReturnValue 32773``.
    """

    by: RefusedBy
    code: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a call that the host may refuse; ``refusal`` None: the host accepted it.

    A lost connection or a missing VM is an exception, never an Attempt.
    """

    refusal: Refusal | None
    evidence: tuple[Evidence, ...]

    @property
    def accepted(self) -> bool:
        """Return whether the host did what it was asked."""
        return self.refusal is None

    @property
    def fqid(self) -> str | None:
        """Return the code of the refusal, None where the host accepted."""
        return None if self.refusal is None else self.refusal.code


class HostSession(Protocol):
    """A leased session to one host; belongs to one thread at a time."""

    @property
    def name(self) -> str:
        """The host's name in the inventory."""

    def run(self, call: Call, *, within: timedelta = ...) -> Answer:
        """Run the call to its end.

        Raises HostRefused for any ErrorRecord (terminating or not), HostUnreachable,
        HostLoginRefused, HostConnectionLost, HostBusy, DeadlineExceeded (the call was stopped).
        """
