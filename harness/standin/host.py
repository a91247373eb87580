"""One simulated Hyper-V host: the Windows release that it plays, its state, and its edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from threading import RLock
from typing import TYPE_CHECKING
from uuid import UUID

from harness.standin import paths
from harness.standin.disks import Disks
from harness.standin.machines import MachineError, Machines
from harness.standin.releases import Release
from harness.standin.rules import Rules
from harness.standin.store import DiskStore
from harness.standin.world import GIB, Event, World

if TYPE_CHECKING:
    from harness.standin.between import Between
    from harness.standin.cim.model import Method
    from harness.standin.cmdlet import Cmdlet


@dataclass(slots=True)
class Host:
    r"""What cmdlets act on.

    ``files`` is the folder that plays the host's drives: ``C:\VMs\a.vhdx`` is
    ``files/C/VMs/a.vhdx``. ``lock`` guards ``world``; hold it for changes, never while waiting for
    a machine. ``guest_network`` is the start of the loopback addresses that adapters get.
    ``memory`` (bytes) and ``processors`` are the budget that the host claims to have.
    ``shutdown_limit`` is how many seconds a guest has for an orderly shutdown. ``methods`` and
    ``cmdlets`` stand in place of WMI methods and cmdlets of those names, ``wire`` between its WinRM
    service and whoever asks; ``seeded`` names the faults that were planted.
    """

    name: str
    release: Release
    files: Path
    machines: Machines
    world: World = field(default_factory=World)
    lock: RLock = field(default_factory=RLock)
    disks: DiskStore = field(default_factory=Disks)
    guest_network: str = "127.87.0."
    memory: int = 32 * GIB
    processors: int = 16
    shutdown_limit: float = 300.0
    rules: Rules = field(default_factory=Rules)
    methods: dict[str, Method] = field(default_factory=dict)
    cmdlets: dict[str, Cmdlet] = field(default_factory=dict)
    wire: list[Between] = field(default_factory=list)
    seeded: tuple[str, ...] = ()
    logs: Path | None = None
    vm_locks: dict[UUID, RLock] = field(default_factory=dict)

    def local(self, windows_path: str) -> Path:
        """Return the file of this machine behind a path of the host (case-insensitive).

        Raises paths.PathRefused for anything that is no full path on a drive of the host.
        """
        found = self.files
        for name in paths.parts(windows_path):
            found = _child(found, name)
        return found

    def windows(self, local: Path) -> str:
        """Return the host's path of a file of this machine."""
        for base, path in ((self.files, local), (self.files.resolve(), local.resolve())):
            if path.is_relative_to(base):
                drive, *names = path.relative_to(base).parts
                return f"{drive}:\\" + "\\".join(names)
        raise paths.PathRefused(local.name, f"lies on no drive of host {self.name}")

    def is_file(self, windows_path: str) -> bool:
        """Tell whether a path of the host names an existing file."""
        try:
            return self.local(windows_path).is_file()
        except paths.PathRefused:
            return False

    def remove(self, windows_path: str) -> None:
        """Delete a file of the host; a missing one is no error."""
        self.local(windows_path).unlink(missing_ok=True)

    def copy(self, source: str, target: str) -> None:
        """Copy a file of the host; the target appears whole or not at all."""
        final = self.folder_for(target)
        part = final.with_name(final.name + ".part")
        try:
            copyfile(self.local(source), part)
            part.replace(final)
        finally:
            part.unlink(missing_ok=True)

    def folder_for(self, windows_path: str) -> Path:
        """Return the local path, with its folder made."""
        local = self.local(windows_path)
        local.parent.mkdir(parents=True, exist_ok=True)
        return local

    def log_of(self, vm: UUID) -> Path:
        """Return where the log of a VM's machine is kept."""
        folder = self.logs or self.local("C:\\ProgramData\\hvcert\\logs")
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{vm}.log"

    @contextmanager
    def exclusive(self, vm: UUID, check: Callable[[], None]) -> Iterator[None]:
        """Hold the one lock under which a VM changes state; ``check`` runs while it is awaited."""
        with self.lock:
            lock = self.vm_locks.setdefault(vm, RLock())
        while not lock.acquire(timeout=0.5):
            check()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def if_idle(self, vm: UUID) -> Iterator[bool]:
        """Hold the VM's lock if nobody does; yields whether it is held."""
        with self.lock:
            lock = self.vm_locks.setdefault(vm, RLock())
        held = lock.acquire(blocking=False)
        try:
            yield held
        finally:
            if held:
                lock.release()

    def address_of(self, adapter: UUID) -> str:
        """Return the loopback address of an adapter; give it one if it has none."""
        with self.lock:
            if adapter not in self.world.addresses:
                taken = set(self.world.addresses.values())
                free = (f"{self.guest_network}{n}" for n in range(2, 255))
                address = next((a for a in free if a not in taken), None)
                if address is None:
                    problem = f"no address is free in {self.guest_network}0/24"
                    raise MachineError(problem)
                self.world.addresses[adapter] = address
            return self.world.addresses[adapter]

    def free_address(self, adapter: UUID) -> None:
        """Give an adapter's address back."""
        with self.lock:
            self.world.addresses.pop(adapter, None)

    def record(
        self, event: int, text: str, vm: UUID | None = None, level: str = "Information"
    ) -> None:
        """Write an event to the host's Hyper-V log."""
        source = "Microsoft-Windows-Hyper-V-Worker"
        with self.lock:
            self.world.events.append(Event(event, source, level, now(), text, vm))


def now() -> datetime:
    """Return the time of the host, in UTC."""
    return datetime.now(UTC)


def _child(folder: Path, name: str) -> Path:
    exact = folder / name
    if exact.exists() or not folder.is_dir():
        return exact
    wanted = name.casefold()
    return next((p for p in folder.iterdir() if p.name.casefold() == wanted), exact)
