"""Who uses a host: a file of each run beside its VMs, made atomically and renewed while it lives.

Whether a lease has expired is told by the host's own clock: the age of one file is compared with
another that was written just now, so that no controller's clock matters.
"""

from __future__ import annotations

import getpass
import itertools
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from harness.errors import HarnessError, HostBusy, HostRefused
from harness.host.command import Cmdlet, Value
from harness.host.session import HostObject, HostSession
from harness.inventory.model import Host
from harness.process import process_started

LASTS = timedelta(minutes=20)
"""So long without being renewed, and a lease has expired."""
RENEWED = timedelta(minutes=4)
TAKEN = "NewItemIOError,"
_numbers = itertools.count(1)
RUN = r"(?P<run>\d{8}-\d{6}-[0-9a-f]{6})"
OF_RUN = re.compile(rf"hvcert-{RUN}\.(lease|turn-[\w.-]+)")
CLOCK = "hvcert-clock-"
LEASE = re.compile(rf"hvcert-{RUN}\.lease")


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds it: the run, its controller (machine and boot), process and user there."""

    run: str
    controller: str
    pid: int
    started: str
    user: str = ""

    def __str__(self) -> str:
        """Return who that is, for people."""
        machine = self.controller.partition("/")[0]
        return f"run {self.run} of {self.user or 'somebody'} on {machine} (process {self.pid})"


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as it was found: ``age`` is the time since it was last renewed."""

    lease: Lease
    path: str
    age: timedelta

    @property
    def dead(self) -> bool:
        """Return whether it has expired, or its process on this very controller has ended."""
        mine = self.lease.controller == controller()
        return self.age > LASTS or (mine and process_started(self.lease.pid) != self.lease.started)


def own(run: str) -> Lease:
    """Return the lease of a run of this very process."""
    return Lease(run, controller(), os.getpid(), process_started(os.getpid()), getpass.getuser())


def path_of(host: Host, run: str) -> str:
    """Return where a run's lease is on its host."""
    return f"{host.vm_path}\\hvcert-{run}.lease"


@contextmanager
def leased(session: HostSession, host: Host, run: str) -> Iterator[None]:
    """Let everybody see inside the block that the run uses the host; others may use it, too.

    HostBusy when a process that lives has a lease of that very run.
    """
    folder: dict[str, Value] = {"Path": host.vm_path, "ItemType": "Directory", "Force": True}
    session.run(Cmdlet("New-Item", folder))
    mine = own(run)
    if not take(session, path_of(host, run), mine):
        for held in leases(session, host):
            if held.lease.run == run and not held.dead:
                advice = "wait for its end, or give this run another name"
                raise HostBusy(session.name, f"{held.lease} is under way", advice)
        renew(session, host, run)
    try:
        yield
    finally:
        with suppress(HarnessError):  # a lease that stays is dead as soon as this process is
            forget(session, host, run)


def renew(session: HostSession, host: Host, run: str) -> None:
    """Write the lease anew: its age is 0 then."""
    text = json.dumps(asdict(own(run)))
    session.run(Cmdlet("Set-Content", {"Path": path_of(host, run), "Value": text}))


def forget(session: HostSession, host: Host, run: str) -> None:
    """Remove a run's lease and turns; what else it left is then swept."""
    for name in names(session, host):
        found = OF_RUN.fullmatch(name)
        if found and found["run"] == run:
            remove(session, f"{host.vm_path}\\{name}")


def leases(session: HostSession, host: Host) -> tuple[Held, ...]:
    """Return the leases on a host, dead ones too."""
    listed = [entry for entry in listing(session, host) if LEASE.fullmatch(entry.string("Name"))]
    if not listed:
        return ()
    now = host_now(session, host)
    found = []
    for entry in listed:
        path = f"{host.vm_path}\\{entry.string('Name')}"
        held = read(session, path) or _unread(entry.string("Name"))
        found.append(Held(held, path, now - when(entry)))
    return tuple(found)


def _unread(name: str) -> Lease:
    """Return what a lease's name tells: it is being written just now, or is another release's.

    It lives until it expires, as any.
    """
    found = LEASE.fullmatch(name)
    return Lease(found["run"] if found else "", "unknown", 0, "")


def alive(session: HostSession, host: Host) -> frozenset[str]:
    """Return the runs that use the host now."""
    return frozenset(held.lease.run for held in leases(session, host) if not held.dead)


def listing(session: HostSession, host: Host) -> tuple[HostObject, ...]:
    """Return what lies in the host's ``vm_path``."""
    ask = Cmdlet("Get-ChildItem", {"Path": host.vm_path}, safe_to_repeat=True)
    return tuple(session.run(ask).records())


def names(session: HostSession, host: Host) -> tuple[str, ...]:
    """Return the names of what lies there."""
    return tuple(entry.string("Name") for entry in listing(session, host))


def host_now(session: HostSession, host: Host) -> datetime:
    """Return the time by the host's clock: that of a file written just now."""
    path = f"{host.vm_path}\\{CLOCK}{os.getpid()}-{next(_numbers)}"
    given: dict[str, Value] = {"Path": path, "ItemType": "File", "Force": True}
    made = session.run(Cmdlet("New-Item", given)).one()
    remove(session, path)
    return when(made)


def forget_clocks(session: HostSession, host: Host) -> None:
    """Remove what was written to read the clock by; whoever needed one has its answer already."""
    for name in names(session, host):
        if name.startswith(CLOCK):
            remove(session, f"{host.vm_path}\\{name}")


def when(entry: HostObject) -> datetime:
    """Return when a file was last written, by its host's clock."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", entry.string("LastWriteTimeUtc").replace("Z", ""))
    return datetime.fromisoformat(text).replace(tzinfo=None)


def take(session: HostSession, path: str, lease: Lease) -> bool:
    """Make a lease's file, unless it is there: the host does that atomically."""
    text = json.dumps(asdict(lease))
    try:
        session.run(Cmdlet("New-Item", {"Path": path, "ItemType": "File", "Value": text}))
    except HostRefused as refused:
        if refused.record.fqid.startswith(TAKEN):
            return False
        raise
    return True


def read(session: HostSession, path: str) -> Lease | None:
    """Return the lease in a file; None where it is gone, or none that this release can read."""
    with suppress(ValueError, TypeError, HostRefused):
        answer = session.run(Cmdlet("Get-Content", {"Path": path}, safe_to_repeat=True))
        return Lease(**json.loads("".join(str(line) for line in answer.objects)))
    return None


def remove(session: HostSession, path: str) -> None:
    """Remove a file; one that is gone by now is no matter."""
    with suppress(HostRefused):
        session.run(Cmdlet("Remove-Item", {"Path": path, "Force": True}))


def controller() -> str:
    """Return a name of this machine and its boot: a process id means nothing after a reboot."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{os.uname().nodename}/{boot}"
