"""What is placed, and where it can be placed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from harness.units import Bytes

CASES_PER_HOST = 25
"""So many at a time. A Windows host allows a user 30 shells (``MaxShellsPerUser``): each case has
one, the controller three, and sweeps and doctors of others want some, too."""


@dataclass(frozen=True, slots=True)
class Job:
    """One item of a run: a case on a guest, on one of ``hosts``.

    ``memory`` and ``processors`` (virtual ones) are of all its guests together. ``expected``: how
    long it took before, or a guess. ``alone``: nothing else may run on the same machine meanwhile.
    ``backup_disk``: its host needs a disk that Windows Server Backup can write to. ``template``:
    the image that its guests are made from. Of two jobs the one with the higher ``priority`` starts
    first. ``item`` is pytest's name for it, ``recording`` the file that names its verdicts.
    """

    item: str
    recording: str
    guest: str
    place: str
    hosts: tuple[str, ...]
    memory: Bytes
    processors: int
    expected: timedelta
    alone: bool = False
    backup_disk: bool = False
    template: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """What a host has for the guests of this run, as measured.

    ``memory``: free, less what the inventory reserves, at most its budget. ``processors``: the
    virtual processors that its guests may have in all. ``machine``: hosts of one machine share it,
    so that a case which runs alone has all of them. ``no_backups``: why it can make none.
    ``problem``: why nothing can run there.
    """

    host: str
    memory: Bytes
    processors: int
    machine: str = ""
    no_backups: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A job that runs on a host since ``started`` (seconds of the scheduler's clock)."""

    job: Job
    host: str
    started: float

    def ends(self) -> float:
        """Return when it is expected to end."""
        return self.started + self.job.expected.total_seconds()


def unfit(job: Job, room: Room) -> str:
    """Return why a job can never run on a host, empty and idle as it may be; "" when it can."""
    if room.problem:
        return room.problem
    if job.memory > room.memory:
        return f"{room.host} has {room.memory} for guests, and the case needs {job.memory}"
    if job.processors > room.processors:
        return (
            f"{room.host} has {room.processors} virtual processors for guests,"
            f" and the case needs {job.processors}"
        )
    if job.backup_disk and room.no_backups:
        return room.no_backups
    return ""
