"""What Windows Server Backup remembers on a host: backup sets and jobs. Data, no behaviour.

Sizes are bytes, paths are the host's, times are UTC; ``volume`` is a drive such as ``E:``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from harness.standin.world import Settings, Vm


@dataclass(slots=True)
class Policy:
    """What New-WBPolicy makes and the Add- cmdlets fill."""

    vms: list[Vm] = field(default_factory=list)
    volume: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What New-WBBackupTarget makes."""

    volume: str


@dataclass(slots=True)
class BackedUp:
    """One VM in a backup set.

    ``disks`` maps the path of each of its disks to the copy in the set; ``memory`` is the copy of
    its saved state: without one it comes back Off.
    """

    id: UUID
    name: str
    path: str
    settings: Settings
    disks: dict[str, str] = field(default_factory=dict)
    memory: str | None = None


@dataclass(slots=True)
class BackupSet:
    """One backup. ``version`` is how WSB names it: ``03/15/2024-15:16``."""

    version: str
    at: datetime
    volume: str
    folder: str
    snapshot: UUID
    vms: list[BackedUp] = field(default_factory=list)


@dataclass(slots=True)
class BackupJob:
    """A backup or a recovery; ``state`` is Running, Completed or Failed."""

    started: datetime
    ended: datetime | None = None
    state: str = "Running"
    result: int = 0
    error: str = ""


@dataclass(slots=True)
class Backups:
    """All of it."""

    sets: list[BackupSet] = field(default_factory=list)
    jobs: list[BackupJob] = field(default_factory=list)
