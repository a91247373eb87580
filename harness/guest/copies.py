"""A copy of a guest's disk, attached to a guest: looked at on its device, then read, then checked.

It is attached as a differencing disk, so nothing that is done here reaches the copy itself; it is
read-only for the kernel until its content has been read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from harness.checks.filesystems import (
    EXT,
    ExtState,
    Mounted,
    Volume,
    ext_state,
    volumes,
)
from harness.checks.records import Records, parse_records
from harness.deadline import wait_for
from harness.errors import CommandFailed, DeadlineExceeded, EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.guest.files import run_or_fail
from harness.guest.measure import as_evidence, measure
from harness.guest.shell import GuestShell
from harness.guest.writer import records_of

MOUNT = "/run/hvcert-copy"
READ_ONLY = {
    "xfs": "ro,norecovery,nouuid",
    "btrfs": "ro,nologreplay",
    **dict.fromkeys(EXT, "ro,noload"),
}
"""How each file system is mounted without a write and without a replay of its log."""

SHOWN_WITHIN = timedelta(minutes=3)
CHECK_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Inspected:
    """One file system of the copy. ``state`` (ext) or ``checked`` (an exit status) is there."""

    place: Mounted
    records: Measured[Records]
    state: Measured[ExtState] | None = None
    checked: Measured[int] | None = None


def inspect(shell: GuestShell, disk: str, places: tuple[Mounted, ...]) -> tuple[Inspected, ...]:
    """Look at every file system of ``places`` that is on a disk (``/dev/sdb``).

    Raises EvidenceError when none of them is there.
    """
    found = _shown(shell, disk, places)
    for volume in found:
        run_or_fail(shell, ("blockdev", "--setro", volume.device))
    by_uuid = {volume.uuid: volume for volume in found}
    return tuple(_inspect(shell, by_uuid[p.uuid], p) for p in places if p.uuid in by_uuid)


def _shown(shell: GuestShell, disk: str, places: tuple[Mounted, ...]) -> tuple[Volume, ...]:
    """Wait until udev has read the disk, and return the disk with its partitions."""
    wanted = {place.uuid for place in places}

    def shown() -> tuple[Volume, ...] | None:
        seen = measure(shell, volumes(disk)).value
        return seen if wanted & {volume.uuid for volume in seen} else None

    try:
        return wait_for(f"file systems on {disk}", shown, SHOWN_WITHIN)
    except DeadlineExceeded:
        seen = measure(shell, volumes(disk))
        missing = "file system of the guest (one on LVM cannot be looked at yet)"
        raise EvidenceError(f"copy {disk}", missing, seen.evidence[0].answer) from None


def _inspect(shell: GuestShell, volume: Volume, place: Mounted) -> Inspected:
    if place.kind in EXT:
        state = measure(shell, ext_state(volume.device))
        return Inspected(place, _read(shell, volume.device, place), state=state)
    if place.kind == "btrfs":
        checked = _status(shell, ("btrfs", "check", "--readonly", volume.device))
        return Inspected(place, _read(shell, volume.device, place), checked=checked)
    records = _read(shell, volume.device, place)
    return Inspected(place, records, checked=_replayed(shell, volume.device))


def _read(shell: GuestShell, device: str, place: Mounted) -> Measured[Records]:
    """Read the records; a file that is not there holds none, and no mount is broken content."""
    mounted = _mount(shell, device, READ_ONLY[place.kind])
    if mounted.value:
        return Measured(Records(0, broken="the copy cannot be mounted"), mounted.evidence)
    try:
        cat = Probe(("cat", records_of(MOUNT)), parse_records, privileged=True, fails_ok=True)
        return measure(shell, cat)
    finally:
        run_or_fail(shell, ("umount", MOUNT))


def _replayed(shell: GuestShell, device: str) -> Measured[int]:
    """Let xfs replay its log, then check it; the disk below keeps the copy as it was."""
    disk = device.rstrip("0123456789")
    for name in dict.fromkeys((disk, device)):
        run_or_fail(shell, ("blockdev", "--setrw", name))
    mounted = _mount(shell, device, "nouuid")
    if mounted.value:
        return mounted
    run_or_fail(shell, ("umount", MOUNT))
    return _status(shell, ("xfs_repair", "-n", device))


def _status(shell: GuestShell, argv: tuple[str, ...]) -> Measured[int]:
    """Run a checker: its exit status is the answer, unless it is missing."""
    done = shell.run(argv, privileged=True, within=CHECK_WITHIN)
    if done.exit_status in (-1, 126, 127):
        raise CommandFailed(shell.name, argv, done.exit_status, done.stderr)
    said = as_evidence(shell.name, done)
    text = f"{done.stdout}{done.stderr}"
    return Measured(done.exit_status, (Evidence(said.asked.split("   (")[0], text, said.where),))


def _mount(shell: GuestShell, device: str, options: str) -> Measured[int]:
    """Mount a device at MOUNT; the answer is the exit status of mount."""
    run_or_fail(shell, ("mkdir", "-p", MOUNT))
    return _status(shell, ("mount", "-o", options, device, MOUNT))
