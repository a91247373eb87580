"""The seam between the wire (WS-Man, PSRP, WinRS) and what answers it (binder, cmdlets).

The wire decodes a request into ``Request`` and calls ``Engine.run`` in a worker thread; everything
that comes out goes through ``Streams``. Neither side knows more of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.standin.values import Value

ERROR_CATEGORIES = (  # System.Management.Automation.ErrorCategory: the index is the number
    "NotSpecified",
    "OpenError",
    "CloseError",
    "DeviceError",
    "DeadlockDetected",
    "InvalidArgument",
    "InvalidData",
    "InvalidOperation",
    "InvalidResult",
    "InvalidType",
    "MetadataError",
    "NotImplemented",
    "NotInstalled",
    "ObjectNotFound",
    "OperationStopped",
    "OperationTimeout",
    "SyntaxError",
    "ParserError",
    "PermissionDenied",
    "ResourceBusy",
    "ResourceExists",
    "ResourceUnavailable",
    "ReadError",
    "WriteError",
    "FromStdErr",
    "SecurityError",
    "ProtocolError",
    "ConnectionError",
    "AuthenticationError",
    "LimitsExceeded",
    "QuotaExceeded",
    "NotEnabled",
)


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """A PowerShell ErrorRecord.

    ``exception_types`` is the .NET type chain, the concrete type first; ``category`` a name of
    ERROR_CATEGORIES; ``activity`` the cmdlet that wrote it.
    """

    fqid: str
    category: str
    exception_types: tuple[str, ...]
    message: str
    activity: str = ""
    reason: str = ""
    target_name: str = ""
    target_type: str = ""


class Terminated(Exception):
    """A terminating error: the pipeline ends in state Failed with this record."""

    def __init__(self, record: ErrorRecord) -> None:
        self.record = record
        super().__init__(record.message)


class Stopped(Exception):
    """The client asked to stop the pipeline; ends it in state Stopped."""


@dataclass(frozen=True, slots=True)
class CommandCall:
    """One command of a pipeline as the client wrote it.

    ``text`` is a cmdlet's name, or a whole script when ``is_script``. ``arguments`` keep their
    order: ``(name, value)``, where name None is positional; a bare switch has value True.
    """

    text: str
    is_script: bool = False
    arguments: tuple[tuple[str | None, Value], ...] = ()


Statement = tuple[CommandCall, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """Statements, run one after the other; each is a pipeline. ``input`` feeds the first."""

    statements: tuple[Statement, ...]
    input: tuple[Value, ...] = ()


class Streams(Protocol):
    """Where a running pipeline writes. Every method may raise Stopped."""

    def output(self, value: Value) -> None:
        """Write one object to the output stream."""

    def error(self, record: ErrorRecord) -> None:
        """Write a non-terminating error."""

    def warning(self, text: str) -> None:
        """Write a warning."""

    def verbose(self, text: str) -> None:
        """Write a verbose message."""

    def debug(self, text: str) -> None:
        """Write a debug message."""

    def progress(self, activity: str, status: str, percent: int) -> None:
        """Write a progress record; percent is 0 to 100, -1 when unknown."""

    def check(self) -> None:
        """Raise Stopped when the client asked to stop; long cmdlets call it while they wait."""


class Engine(Protocol):
    """What answers: runs a request to its end, in the caller's thread."""

    def run(self, request: Request, streams: Streams) -> None:
        """Run it; raise Terminated for a terminating error, Stopped when stopped."""

    def run_text(self, text: str, streams: Streams) -> str:
        """Run PowerShell text (WinRS `powershell -Command`) and return what a console shows."""


@dataclass(frozen=True, slots=True)
class Given:
    """A cmdlet's bound parameters for one pipeline record.

    Keys are the canonical names of the contract; values are converted to the parameter's type
    (enum → EnumValue, VirtualMachine[] → list of Record with ``live``; array types are always
    lists). ``set_name`` is the parameter set. ``pipeline`` is all input, for whole-pipeline cmdlets
    only.
    """

    cmdlet: str
    values: Mapping[str, Value]
    set_name: str = ""
    pipeline: tuple[Value, ...] = field(default=())

    def __getitem__(self, name: str) -> Value:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, default: Value = None) -> Value:
        """Return the value, or the default where the parameter was not given."""
        return self.values.get(name, default)

    def flag(self, name: str) -> bool:
        """Return whether a switch was given and is true."""
        return bool(self.values.get(name, False))
