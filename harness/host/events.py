"""What the host's own log says of a VM."""

from __future__ import annotations

from harness.errors import HostRefused
from harness.evidence import Evidence, Measured
from harness.host.command import Cmdlet, Value
from harness.host.session import HostSession

WORKER_LOG = "Microsoft-Windows-Hyper-V-Worker-Admin"
GUEST_CRASHED = 18590
"""The guest reported an operating-system crash (Hyper-V's crash registers, pvpanic)."""

NONE_FOUND = "NoMatchingEventsFound,"


def crash_reports(session: HostSession, vm_name: str) -> Measured[int]:
    """Return how often the host logged that this VM's guest reported a crash.

    Its name is unique, and stands in the text whatever the language.
    """
    wanted: dict[str, Value] = {"LogName": WORKER_LOG, "Id": GUEST_CRASHED}
    ask = Cmdlet("Get-WinEvent", {"FilterHashtable": wanted}, safe_to_repeat=True)
    try:
        answer = session.run(ask)
    except HostRefused as refused:
        if not refused.record.fqid.startswith(NONE_FOUND):
            raise
        said = f"[{refused.record.fqid}]"
        return Measured(0, (Evidence(refused.command, said, f"host {refused.host}"),))
    found = sum(vm_name in event.string("Message") for event in answer.records())
    return Measured(found, (answer.evidence,))
