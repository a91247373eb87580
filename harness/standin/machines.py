r"""The edge that carries out what cmdlets decide: one QEMU process per running VM.

Cmdlets see only this Protocol; ``qemu.py`` satisfies it, tests have a small fake.
All sizes are bytes, all paths are paths of this machine (not ``C:\``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from harness.standin.notices import Notice


class MachineError(Exception):
    """The machine could not do it; the text says what QEMU said. Becomes an ErrorRecord."""


class CannotFreeze(MachineError):
    """The guest's file systems could not be brought to a standstill; nothing was done."""


@dataclass(frozen=True, slots=True)
class DiskSpec:
    """A disk of a machine. ``controller`` is "IDE" or "SCSI"; ``format`` is QEMU's (qcow2, raw).

    ``offset`` and ``size``: the part of a raw file that is the disk; without a size it is all of
    the rest, and the disk can grow while the machine runs.
    """

    path: Path
    controller: str = "SCSI"
    number: int = 0
    location: int = 0
    format: str = "qcow2"
    read_only: bool = False
    offset: int = 0
    size: int | None = None


@dataclass(frozen=True, slots=True)
class NicSpec:
    """A network adapter with its hardware address as the guest sees it (``52:54:00:00:00:01``).

    ``address``: the loopback address at which the guest's port 22 answers. ``network``: the private
    switch that it is on instead. Both None: it is connected to no switch.
    """

    mac: str
    address: str | None
    network: UUID | None = None


@dataclass(frozen=True, slots=True)
class HotPlug:
    """Room for memory modules: up to ``limit`` bytes of memory in all.

    ``modules``: the sizes of those that are plugged already, in their order (a saved state needs
    the same).
    """

    limit: int
    modules: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """What QEMU needs to know to run one VM; ``low_gap`` is the space below 4 GiB left for MMIO.

    ``memory`` is what it starts with; without ``hot_plug`` it keeps that and no more.
    ``resolution`` is the width and height in pixels that the display asks the guest to take,
    ``largest`` the most that it offers. ``pointers``: absolute ones, 1 or 2. ``frozen_copies``: the
    guest is asked to freeze its file systems before an online backup.
    """

    id: UUID
    name: str
    memory: int
    processors: int
    low_gap: int
    disks: tuple[DiskSpec, ...] = ()
    nics: tuple[NicSpec, ...] = ()
    log: Path | None = None
    hot_plug: HotPlug | None = None
    resolution: tuple[int, int] = (1024, 768)
    largest: tuple[int, int] = (1920, 1080)
    pointers: int = 1
    frozen_copies: bool = True


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """``assigned``: what the machine has now; the rest as its balloon driver told (None: not yet).

    ``total`` and ``available`` are the kernel's MemTotal and MemAvailable.
    """

    assigned: int
    total: int | None = None
    available: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """What a machine's display shows: ``rgb`` is three bytes a pixel, row after row."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True, slots=True)
class GuestReport:
    """What the guest's agent tells: the stand-in's heartbeat and key-value exchange.

    ``heartbeat``: the agent answered just now. ``addresses``: the addresses by which the host
    reaches the guest (loopback addresses of its adapters) once the guest has brought its own
    interface up. ``facts``: key-value pairs named as Hyper-V's (OSName, OSVersion,
    FullyQualifiedDomainName, …). ``private``: (hardware address, IPv4 address) of adapters on
    private switches, as the guest has them.
    """

    heartbeat: bool = False
    addresses: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    private: tuple[tuple[str, str], ...] = ()


class Machines(Protocol):
    """Runs machines. Every call waits for its effect; MachineError: it did not happen."""

    def start(self, spec: MachineSpec, resume_from: Path | None = None) -> None:
        """Start a machine; from a saved state when given. Returns when its processors run."""

    def kill(self, vm: UUID) -> None:
        """Turn it off at once (Stop-VM -TurnOff). No error when it is not running."""

    def shut_down(self, vm: UUID, within: float) -> bool:
        """Ask the guest to shut down; return False when it did not within that many seconds."""

    def reset(self, vm: UUID) -> None:
        """Press reset."""

    def pause(self, vm: UUID) -> None:
        """Stop its processors."""

    def resume(self, vm: UUID) -> None:
        """Let its processors run."""

    def save(self, vm: UUID, to: Path) -> None:
        """Write memory and device state to a file and end the process."""

    def checkpoint(self, vm: UUID, state: Path, overlays: tuple[tuple[Path, Path], ...]) -> None:
        """Write the state to a file and switch each disk to a new overlay at the same instant.

        ``overlays`` are pairs (disk as it is attached, new overlay file). The machine goes on as it
        was (running or paused).
        """

    def merge(self, vm: UUID, child: Path, parent: Path) -> None:
        """Merge a disk of the machine into the one below it while it is used; both files stay."""

    def production_checkpoint(self, vm: UUID, overlays: tuple[tuple[Path, Path], ...]) -> None:
        """Switch each disk to a new overlay while the guest's file systems are frozen.

        Raises CannotFreeze when they cannot be: no disk is switched then.
        """

    def online_backup(self, vm: UUID, copies: tuple[tuple[Path, Path], ...]) -> None:
        """Copy each disk as it is at one instant at which the guest's file systems are frozen.

        ``copies`` are pairs (disk as it is attached, empty disk file of the same size). The guest
        goes on while the copying lasts. Raises CannotFreeze.
        """

    def attach(self, vm: UUID, disk: DiskSpec) -> None:
        """Give a running machine one more SCSI disk; its guest is told at once."""

    def detach(self, vm: UUID, disk: DiskSpec) -> None:
        """Take a SCSI disk away from a running machine; its file is then free."""

    def grow(self, vm: UUID, disk: DiskSpec, size: int) -> None:
        """Make the disk at that place larger and tell the guest; its file has the room already."""

    def inject_nmi(self, vm: UUID) -> None:
        """Send one NMI, as the interrupt controller of the machine delivers it."""

    def picture(self, vm: UUID) -> Picture:
        """Return what its display shows now."""

    def point(self, vm: UUID, x: int, y: int) -> None:
        """Move the absolute pointer to a pixel of the display, counted from the top left."""

    def state(self, vm: UUID) -> str:
        """Return "running", "paused" or "off" (also when QEMU died)."""

    def notices(self, vm: UUID) -> tuple[Notice, ...]:
        """Return what the guest did by itself since the last call: reset its machine, crashed."""

    def assigned(self, vm: UUID) -> int:
        """Return the memory in bytes that the guest has now; 0 when off."""

    def memory(self, vm: UUID) -> MemoryReport:
        """Return what a machine with room for modules has, and what its guest makes of it."""

    def add_memory(self, vm: UUID, size: int) -> None:
        """Plug one more memory module (bytes, a multiple of 128 MiB)."""

    def balloon(self, vm: UUID, target: int) -> None:
        """Ask the guest to keep that many bytes; it gives or takes them in its own time."""

    def uptime(self, vm: UUID) -> float:
        """Return seconds since start or resume; 0 when off."""

    def inside(self, vm: UUID, script: str, within: float) -> str:
        """Run a shell script in the guest by its agent, as root; return what it printed.

        ``within``: seconds. MachineError: no agent answered, or the script failed.
        """

    def guest(self, vm: UUID) -> GuestReport:
        """Return what the guest's agent tells now; quick (cached for at most a second or two)."""

    def close(self) -> None:
        """End every machine that this object started."""
