"""Every error the harness raises.

HarnessError
├── InventoryError           the operator's file is wrong (every problem at once, with its path)
├── CredentialError          a reference to a secret could not be resolved
├── LabError                 the embedded lab could not be brought up, or is somebody else's
├── ResultsError             results could not be written
├── DatabaseError            the database of results is down, or is not ours
├── ReplayError              a recording does not hold what a replay needs
├── ImageError               a disk image on this machine is none, or could not be converted
├── HostError                the hypervisor
│   ├── HostUnreachable      no connection, no TLS trust, no listener
│   ├── HostLoginRefused     the host did not accept the credentials
│   ├── HostConnectionLost   the connection broke in mid-call: the call may or may not have run
│   ├── HostRefused          the host answered with an ErrorRecord
│   └── HostBusy             leased by another run, or a quota of the host is used up
├── GuestError               the guest
│   ├── GuestUnreachable     no address, no SSH
│   ├── GuestKeyRefused      the host key is not the pinned one
│   ├── GuestLoginRefused    user or key not accepted
│   ├── CommandFailed        a command that had to succeed did not
│   └── GuestLacksTool       a program that a case calls is not installed
├── EvidenceError            output was not understood, or is missing
└── DeadlineExceeded         something did not happen in time

A product defect is never an exception: it is a Verdict. Each message says what happened, where,
and what to do next. No message holds a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


class HarnessError(Exception):
    """Base of the tree; never raised itself."""


class InventoryError(HarnessError):
    """The inventory is wrong; lists every problem, not the first."""

    def __init__(self, path: str, problems: tuple[str, ...]) -> None:
        self.path, self.problems = path, problems
        super().__init__(f"{path}: " + "; ".join(problems))


class CredentialError(HarnessError):
    """A reference to a secret could not be resolved."""

    def __init__(self, reference: str, problem: str, advice: str) -> None:
        self.reference, self.problem, self.advice = reference, problem, advice
        super().__init__(f"{reference}: {problem}; {advice}")


class LabError(HarnessError):
    """The embedded lab could not be brought up, or belongs to somebody else."""


class ResultsError(HarnessError):
    """Results could not be written."""


class DatabaseError(HarnessError):
    """The database of results could not be used; what is in the runs' folders is not touched.

    ``where`` is its URL without a password.
    """

    def __init__(self, where: str, what: str, advice: str = "") -> None:
        self.where, self.what = where, what
        self.advice = advice or "start it or correct --database; results can be imported later"
        super().__init__(f"database {where}: {what}; {self.advice}")


class ReplayError(HarnessError):
    """A recording does not hold what a replay needs: it is of another version, or was cut."""

    def __init__(self, recording: str, missing: str) -> None:
        self.recording, self.missing = recording, missing
        super().__init__(f"recording {recording}: {missing}")


class HostError(HarnessError):
    """The hypervisor refused or vanished; ``host`` is its inventory name."""

    def __init__(self, host: str, what: str, advice: str = "") -> None:
        self.host, self.what, self.advice = host, what, advice
        super().__init__(f"host {host}: {what}" + (f"; {advice}" if advice else ""))


class HostUnreachable(HostError):
    """No connection could be made: the call has not run."""


class HostLoginRefused(HostError):
    """The host did not accept the credentials: the call has not run."""


class HostConnectionLost(HostError):
    """The connection broke in mid-call: the call may or may not have run."""


class HostBusy(HostError):
    """Leased by another run, or a quota of the host is used up."""


class ImageError(HarnessError):
    """A disk image on this machine is none that a host can take; ``path`` names it."""

    def __init__(self, path: str, what: str, advice: str) -> None:
        self.path, self.what, self.advice = path, what, advice
        super().__init__(f"{path}: {what}" + (f"; {advice}" if advice else ""))


@dataclass(frozen=True, slots=True)
class ErrorRecordFacts:
    """What of a PowerShell ErrorRecord is not localised, plus its message for people.

    ``fqid`` is FullyQualifiedErrorId, such as
    ``InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM``; ``category`` the
    ErrorCategory's name (``InvalidArgument``); ``exception_type`` the concrete .NET type;
    ``message`` localised text: shown to people, never compared.
    """

    fqid: str
    category: str
    exception_type: str
    message: str
    target: str = ""


class HostRefused(HostError):
    """The host answered with an ErrorRecord."""

    def __init__(self, host: str, command: str, record: ErrorRecordFacts) -> None:
        self.command, self.record = command, record
        super().__init__(host, f"{command} was refused: {record.message} [{record.fqid}]")


class GuestError(HarnessError):
    """The guest is unreachable or a command could not run; ``guest`` is its inventory name."""

    def __init__(self, guest: str, what: str, advice: str = "") -> None:
        self.guest, self.what, self.advice = guest, what, advice
        super().__init__(f"guest {guest}: {what}" + (f"; {advice}" if advice else ""))


class GuestUnreachable(GuestError):
    """No address was reported, or SSH does not answer there."""


class GuestKeyRefused(GuestError):
    """The guest's SSH host key is not the one that the inventory pins."""


class GuestLoginRefused(GuestError):
    """The guest did not accept the user or the key."""


class CommandFailed(GuestError):
    """A guest command that had to succeed ended with another status."""

    def __init__(self, guest: str, argv: tuple[str, ...], exit_status: int, stderr: str) -> None:
        self.argv, self.exit_status, self.stderr = argv, exit_status, stderr
        tail = stderr.strip().splitlines()[-1:] or ["(nothing on stderr)"]
        super().__init__(guest, f"{' '.join(argv)} ended with status {exit_status}: {tail[0]}")


class GuestLacksTool(GuestError):
    """A program that a case calls is not installed; names the packages and how to get them.

    ``missing`` pairs each program with its package; ``install`` is the family's command for all.
    """

    def __init__(self, guest: str, missing: tuple[tuple[str, str], ...], install: str) -> None:
        self.missing, self.install = missing, install
        lacked = ", ".join(
            program if program == package else f"{program} (package {package})"
            for program, package in missing
        )
        super().__init__(guest, f"lacks {lacked}", f"in the guest, as root: {install}")


class EvidenceError(HarnessError):
    """Output was not understood, or what a judge needs is missing."""

    def __init__(self, probe: str, missing: str, output: str) -> None:
        self.probe, self.missing, self.output = probe, missing, output
        super().__init__(f"{probe}: no {missing} in {len(output)} characters of output")


class DeadlineExceeded(HarnessError):
    """Something did not happen in time."""

    def __init__(self, waited_for: str, limit: timedelta, advice: str = "") -> None:
        self.waited_for, self.limit, self.advice = waited_for, limit, advice
        super().__init__(
            f"{waited_for} did not happen within {limit.total_seconds():.0f} s"
            + (f"; {advice}" if advice else "")
        )
