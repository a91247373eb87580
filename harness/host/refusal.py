"""ErrorRecords as the PSRP library hands them out → facts; facts → what kind of no it was. Pure."""

from __future__ import annotations

from typing import cast

from harness.errors import ErrorRecordFacts, HostRefused
from harness.host.session import RefusedBy

CATEGORIES = (  # System.Management.Automation.ErrorCategory: the index is the number
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

BINDING = "System.Management.Automation.ParameterBindingException"
BINDING_KINDS = (
    BINDING,
    "System.Management.Automation.ParameterBindingValidationException",
    "System.Management.Automation.ParameterBindingArgumentTransformationException",
)


def facts_of(record: object) -> ErrorRecordFacts:
    """Read one ErrorRecord; what the host left out is an empty text.

    The record has ``fq_error``, ``category`` (a number), ``exception`` (an object with ``types``
    and properties) and ``target_name``, as [MS-PSRP] 2.2.3.15 has them.
    """
    error = getattr(record, "exception", None)
    number = getattr(record, "category", None)
    known = isinstance(number, int) and 0 <= number < len(CATEGORIES)
    return ErrorRecordFacts(
        fqid=str(getattr(record, "fq_error", None) or ""),
        category=CATEGORIES[cast(int, number)] if known else str(number),
        exception_type=next(iter(getattr(error, "types", ())), ""),
        message=_message(record, error),
        target=str(getattr(record, "target_name", None) or ""),
    )


def _message(record: object, error: object) -> str:
    properties = getattr(error, "adapted_properties", None) or {}
    texts = (properties.get("Message"), getattr(error, "to_string", None), str(record))
    return " ".join(str(next((text for text in texts if text), "no message")).split())


def is_binding(record: ErrorRecordFacts) -> bool:
    """Return whether PowerShell refused to bind the parameters, so that the cmdlet never ran."""
    return record.exception_type in BINDING_KINDS


def refused_by(record: ErrorRecordFacts, command: str) -> RefusedBy | None:
    """Return who refused: the binding of ``command``, itself, or None: it is another trouble.

    ``command`` is the class that ends its ids: ``Microsoft.HyperV.PowerShell.Commands.SetVM``.
    """
    if not record.fqid.removesuffix("Command").endswith(f",{command}"):  # 2012 R2 has the suffix
        return None
    return RefusedBy.BINDING if is_binding(record) else RefusedBy.CMDLET


def not_there(refused: HostRefused) -> bool:
    """Return whether the host said that the thing does not exist: nothing left to remove."""
    record = refused.record
    gone = ("PathNotFound", "ItemNotFound", "ObjectNotFound")
    return record.category == "ObjectNotFound" or record.fqid.startswith(gone)
