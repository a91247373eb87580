"""One run at a time on a host's ``vm_path``: a file there, made atomically, names the owner."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.errors import HarnessError, HostBusy, HostRefused
from harness.host.command import Cmdlet
from harness.host.session import HostSession
from harness.inventory.model import Host

LASTS = timedelta(hours=24)
TAKEN = "NewItemIOError,"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a host: the run, its controller and process there, and until when (ISO 8601)."""

    run: str
    controller: str
    pid: int
    started: str
    until: str

    def dead(self) -> bool:
        """Return whether it has expired, or its process on this very controller has ended."""
        if datetime.fromisoformat(self.until) < datetime.now(UTC):
            return True
        return self.controller == _controller() and _started(self.pid) != self.started


@contextmanager
def leased(session: HostSession, host: Host, run: str) -> Iterator[None]:
    """Hold the host's lease inside the block; raise HostBusy when another run holds it."""
    path = f"{host.vm_path}\\hvcert.lease"
    mine = Lease(
        run, _controller(), os.getpid(), _started(os.getpid()),
        (datetime.now(UTC) + LASTS).isoformat(timespec="seconds"),
    )  # fmt: skip
    session.run(Cmdlet("New-Item", {"Path": host.vm_path, "ItemType": "Directory", "Force": True}))
    if not _take(session, path, mine):
        _break(session, path, mine, host.vm_path)
    try:
        yield
    finally:
        with suppress(HarnessError):  # a lease that stays is dead as soon as this process is
            if _read(session, path) == mine:
                session.run(Cmdlet("Remove-Item", {"Path": path, "Force": True}))


def _break(session: HostSession, path: str, mine: Lease, where: str) -> None:
    """Take over a dead owner's lease; a second file, made as atomically, keeps others out of it."""
    other = _read(session, path)
    if other is not None and not other.dead():
        raise HostBusy(
            session.name,
            f"run {other.run} of {other.controller} (process {other.pid}) uses {where}"
            f" until {other.until}",
            f"wait for it, or, if it is dead, delete {path} on the host",
        )
    breaking = f"{path}.breaking"
    if not _take(session, breaking, mine):
        raise HostBusy(
            session.name,
            "another run is taking over a dead run's lease",
            f"run again; if this stays, delete {breaking} on the host",
        )
    try:
        if _read(session, path) == other:  # nobody was quicker
            session.run(Cmdlet("Remove-Item", {"Path": path, "Force": True}))
        if not _take(session, path, mine):
            raise HostBusy(session.name, "another run took the lease just now", "run again later")
    finally:
        session.run(Cmdlet("Remove-Item", {"Path": breaking, "Force": True}))


def _take(session: HostSession, path: str, lease: Lease) -> bool:
    text = json.dumps(asdict(lease))
    try:
        session.run(Cmdlet("New-Item", {"Path": path, "ItemType": "File", "Value": text}))
    except HostRefused as refused:
        if refused.record.fqid.startswith(TAKEN):
            return False
        raise
    return True


def _read(session: HostSession, path: str) -> Lease | None:
    """Return the lease in the file; None where it is none that this release can read."""
    answer = session.run(Cmdlet("Get-Content", {"Path": path}, safe_to_repeat=True))
    with suppress(ValueError, TypeError):
        return Lease(**json.loads("".join(str(line) for line in answer.objects)))
    return None


def _controller() -> str:
    """Return a name of this machine and its boot: a process id means nothing after a reboot."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{os.uname().nodename}/{boot}"


def _started(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
