"""ErrorRecords as the Hyper-V, VHD and CIM cmdlets of each release write them.

From 2016 on: ``InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM`` and one
VirtualizationException. 2012 R2: the class is named ``GetVMCommand``, and the exception tells what
was wrong. Both were seen in error texts that users published.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.standin.api import ErrorRecord, Given, Streams, Terminated
from harness.standin.machines import MachineError
from harness.standin.paths import PathRefused
from harness.standin.releases import Release

CATEGORIES = {
    "InvalidParameter": "InvalidArgument",
    "InvalidState": "InvalidOperation",
    "OperationFailed": "NotSpecified",
    "ObjectInUse": "ResourceBusy",
    "ObjectNotFound": "ObjectNotFound",
    "NotSupported": "NotImplemented",
    "OutOfMemory": "NotSpecified",
}
VHD_CLASSES = {"New-VHD": "NewVhd", "Resize-VHD": "ResizeVhd"}  # the others as the cmdlet
OLD = 14393  # builds before this one are 2012 R2


class Refused(Exception):
    """A cmdlet will not do it; ``kind`` is the first part of the FullyQualifiedErrorId."""

    def __init__(self, kind: str, message: str, target: str = "") -> None:
        self.kind, self.target = kind, target
        super().__init__(message)


def class_name(cmdlet: str, release: Release) -> str:
    """Return the .NET class of a Hyper-V or VHD cmdlet."""
    verb, noun = cmdlet.split("-", 1)
    old = release.build < OLD
    if noun.startswith("WB"):
        return f"Microsoft.Windows.ServerBackup.Commands.{verb}{noun}"
    if noun == "VHD":
        space = "Microsoft.Vhd.PowerShell" + ("" if old else ".Cmdlets")
        name = VHD_CLASSES.get(cmdlet, verb + noun)
    else:
        space, name = "Microsoft.HyperV.PowerShell.Commands", verb + noun
    return f"{space}.{name}Command" if old else f"{space}.{name}"


def exception(kind: str, release: Release) -> tuple[str, ...]:
    """Return the type chain of the exception that carries such an error."""
    chain = ["Microsoft.HyperV.PowerShell.VirtualizationException", "System.Exception"]
    if release.build < OLD:
        name = "InvalidArgument" if kind == "InvalidParameter" else "OperationFailed"
        chain.insert(0, f"Microsoft.HyperV.PowerShell.Virtualization{name}Exception")
    return (*chain, "System.Object")


def error(cmdlet: str, release: Release, refused: Refused) -> ErrorRecord:
    """Return the ErrorRecord of a refusal."""
    chain = exception(refused.kind, release)
    missing_on_old = refused.kind == "ObjectNotFound" and release.build < OLD
    return ErrorRecord(
        fqid=f"{refused.kind},{class_name(cmdlet, release)}",
        category="NotSpecified" if missing_on_old else CATEGORIES[refused.kind],
        exception_types=chain,
        message=str(refused),
        activity=cmdlet,
        reason=chain[0].rsplit(".", 1)[1],
        target_name=refused.target,
        target_type="String" if refused.target else "",
    )


@contextmanager
def reported(given: Given, release: Release, streams: Streams) -> Iterator[None]:
    """Write what is refused inside as a non-terminating error and go on after the block."""
    try:
        yield
    except Refused as refused:
        streams.error(error(given.cmdlet, release, refused))
    except MachineError as failed:
        streams.error(error(given.cmdlet, release, Refused("OperationFailed", str(failed))))
    except PathRefused as wrong:
        streams.error(error(given.cmdlet, release, Refused("InvalidParameter", str(wrong))))


def need_force(given: Given, release: Release, question: str) -> None:
    """End the pipeline where a host without a screen would have to ask whether to go on."""
    if given.flag("Force"):
        return
    raise Terminated(
        ErrorRecord(
            fqid=f"InvalidOperation,{class_name(given.cmdlet, release)}",
            category="InvalidOperation",
            exception_types=(
                "System.Management.Automation.PSInvalidOperationException",
                "System.InvalidOperationException",
                "System.SystemException",
                "System.Exception",
                "System.Object",
            ),
            message=f"A prompt cannot be answered here; use -Force. The question was: {question}",
            activity=given.cmdlet,
            reason="PSInvalidOperationException",
        )
    )


def cim_error(cmdlet: str, code: int, category: str, message: str, target: str = "") -> ErrorRecord:
    """Return the ErrorRecord of a CIM cmdlet for a WBEM error code such as 0x80041017."""
    verb, noun = cmdlet.split("-", 1)
    return ErrorRecord(
        fqid=f"HRESULT 0x{code:08x},"
        f"Microsoft.Management.Infrastructure.CimCmdlets.{verb}{noun}Command",
        category=category,
        exception_types=(
            "Microsoft.Management.Infrastructure.CimException",
            "System.Exception",
            "System.Object",
        ),
        message=message,
        activity=cmdlet,
        reason="CimException",
        target_name=target,
        target_type="String" if target else "",
    )
