"""A simulated host with machines in memory, and a way to call cmdlet bodies on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from harness.standin.api import ErrorRecord, Given
from harness.standin.cmdlets import HYPERV_CMDLETS
from harness.standin.disks import Disks
from harness.standin.host import Host
from harness.standin.machines import (
    CannotFreeze,
    DiskSpec,
    GuestReport,
    MachineError,
    MachineSpec,
    MemoryReport,
    Picture,
)
from harness.standin.notices import Notice
from harness.standin.values import Record, Value

BODIES = {c.name: c.body for c in HYPERV_CMDLETS}
NO_PICTURE = Picture(0, 0, b"")
ALIVE = GuestReport(heartbeat=True, facts=(("OSName", "Debian <12>"),))


@dataclass(slots=True)
class InMemoryMachines:
    """Machines without QEMU: states in a dictionary, files with a word in them."""

    states: dict[UUID, str] = field(default_factory=dict)
    specs: dict[UUID, MachineSpec] = field(default_factory=dict)
    grown: list[tuple[Path, int]] = field(default_factory=list)
    nmis: list[UUID] = field(default_factory=list)
    resets: list[UUID] = field(default_factory=list)
    resumed: list[str] = field(default_factory=list)
    frozen: list[UUID] = field(default_factory=list)
    merged: list[tuple[str, str]] = field(default_factory=list)
    backups: list[tuple[Path, Path]] = field(default_factory=list)
    shown: bytes = bytes((255, 0, 0, 0, 0, 255))
    pointed: list[tuple[UUID, int, int]] = field(default_factory=list)
    noticed: dict[UUID, tuple[Notice, ...]] = field(default_factory=dict)
    deaf: bool = False
    freezes: bool = False
    broken: str = ""
    report: GuestReport = ALIVE
    used: int | None = None
    unseen: int = 0
    added: list[int] = field(default_factory=list)
    kept: dict[UUID, int] = field(default_factory=dict)
    scripts: list[tuple[UUID, str]] = field(default_factory=list)
    root: Path | None = None

    def start(self, spec: MachineSpec, resume_from: Path | None = None) -> None:
        self._maybe_break()
        if resume_from:
            self.resumed.append(resume_from.read_text())
        self.states[spec.id], self.specs[spec.id] = "running", spec
        if not resume_from:
            self.kept.pop(spec.id, None)

    def kill(self, vm: UUID) -> None:
        self._maybe_break()
        self.states.pop(vm, None)

    def shut_down(self, vm: UUID, within: float) -> bool:
        assert within >= 0
        if not self.deaf:
            self.states.pop(vm)
        return not self.deaf

    def reset(self, vm: UUID) -> None:
        self.resets.append(vm)

    def pause(self, vm: UUID) -> None:
        self._maybe_break()
        self.states[vm] = "paused"

    def resume(self, vm: UUID) -> None:
        self.states[vm] = "running"

    def save(self, vm: UUID, to: Path) -> None:
        self._maybe_break()
        to.write_text("memory")
        self.states.pop(vm)

    def checkpoint(self, vm: UUID, state: Path, overlays: tuple[tuple[Path, Path], ...]) -> None:
        self._maybe_break()
        assert vm in self.states
        for below, new in overlays:
            Disks().create(new, kind="Differencing", parent=below)
        state.write_text("checkpoint")

    def merge(self, vm: UUID, child: Path, parent: Path) -> None:
        self._maybe_break()
        assert vm in self.states
        self.merged.append((child.name, parent.name))
        assert Disks().commit(child) == parent
        for above in child.parent.glob("*.avhdx"):
            if Disks().info(above).parent == child:
                Disks().reparent(above, parent)

    def production_checkpoint(self, vm: UUID, overlays: tuple[tuple[Path, Path], ...]) -> None:
        self._freeze(vm)
        for below, new in overlays:
            Disks().create(new, kind="Differencing", parent=below)

    def online_backup(self, vm: UUID, copies: tuple[tuple[Path, Path], ...]) -> None:
        self._freeze(vm)
        self.backups.extend(copies)

    def _freeze(self, vm: UUID) -> None:
        self._maybe_break()
        if not self.freezes:
            raise CannotFreeze("nobody freezes it")
        self.frozen.append(vm)

    def attach(self, vm: UUID, disk: DiskSpec) -> None:
        self._maybe_break()
        spec = self.specs[vm]
        self.specs[vm] = replace(spec, disks=(*spec.disks, disk))

    def detach(self, vm: UUID, disk: DiskSpec) -> None:
        self._maybe_break()
        spec = self.specs[vm]
        assert disk in spec.disks
        self.specs[vm] = replace(spec, disks=tuple(d for d in spec.disks if d != disk))

    def grow(self, vm: UUID, disk: DiskSpec, size: int) -> None:
        self._maybe_break()
        assert vm in self.states
        self.grown.append((disk.path, size))

    def inject_nmi(self, vm: UUID) -> None:
        self._maybe_break()
        self.nmis.append(vm)

    def picture(self, vm: UUID) -> Picture:
        self._maybe_break()
        return Picture(2, 1, self.shown) if vm in self.states else NO_PICTURE

    def point(self, vm: UUID, x: int, y: int) -> None:
        self._maybe_break()
        self.pointed.append((vm, x, y))

    def state(self, vm: UUID) -> str:
        return self.states.get(vm, "off")

    def notices(self, vm: UUID) -> tuple[Notice, ...]:
        return self.noticed.pop(vm, ())

    def assigned(self, vm: UUID) -> int:
        return self.kept.get(vm, self.specs[vm].memory) if vm in self.states else 0

    def memory(self, vm: UUID) -> MemoryReport:
        """Report as a guest that gives and takes at once; its kernel hides 64 MiB from itself."""
        has = self.assigned(vm)
        if self.used is None:
            return MemoryReport(has)
        total = has - (64 << 20) - self.unseen
        return MemoryReport(has, total, total - self.used)

    def add_memory(self, vm: UUID, size: int) -> None:
        self._maybe_break()
        self.added.append(size)
        self.kept[vm] = self.assigned(vm) + size

    def balloon(self, vm: UUID, target: int) -> None:
        self._maybe_break()
        self.kept[vm] = target

    def uptime(self, vm: UUID) -> float:
        return 12.0 if vm in self.states else 0.0

    def guest(self, vm: UUID) -> GuestReport:
        addresses = tuple(n.address for n in self.specs[vm].nics if n.address)
        return GuestReport(self.report.heartbeat, addresses, self.report.facts)

    def inside(self, vm: UUID, script: str, within: float) -> str:
        """Run a script here, ``$R`` being the guest's root, where there is one."""
        self._maybe_break()
        self.scripts.append((vm, script))
        if self.root is None:
            return ""
        done = subprocess.run(
            ("/bin/sh", "-c", script), env={"R": str(self.root), "PATH": os.environ["PATH"]},
            capture_output=True, text=True, timeout=within, check=False,
        )  # fmt: skip
        if done.returncode:
            raise MachineError(done.stderr)
        return done.stdout

    def close(self) -> None:
        self.states.clear()

    def _maybe_break(self) -> None:
        if self.broken:
            raise MachineError(self.broken)


@dataclass(slots=True)
class Heard:
    """What a cmdlet wrote; satisfies Streams."""

    out: list[Value] = field(default_factory=list)
    errors: list[ErrorRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def output(self, value: Value) -> None:
        self.out.append(value)

    def error(self, record: ErrorRecord) -> None:
        self.errors.append(record)

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def verbose(self, text: str) -> None:
        del text

    def debug(self, text: str) -> None:
        del text

    def progress(self, activity: str, status: str, percent: int) -> None:
        del activity, status, percent

    def check(self) -> None:
        return None

    @property
    def one(self) -> Record:
        """Return the only object of a call that went well."""
        assert not self.errors, self.errors
        (value,) = self.out
        assert isinstance(value, Record)
        return value

    @property
    def fqid(self) -> str:
        """Return the id of the only error of a call that gave nothing."""
        (record,) = self.errors
        return record.fqid


@dataclass(slots=True)
class Bench:
    """A host to call cmdlets on."""

    host: Host
    machines: InMemoryMachines

    def call(self, cmdlet: str, values: Mapping[str, Value] | None = None, **more: Value) -> Heard:
        heard = Heard()
        given = Given(cmdlet, {**(values or {}), **more})
        body = self.host.cmdlets[cmdlet].body if cmdlet in self.host.cmdlets else BODIES[cmdlet]
        for value in body(self.host, given, heard):
            heard.output(value)
        return heard

    def vm(self, name: str = "a", **more: Value) -> Record:
        """Make a VM with a disk of 8 MiB."""
        path = f"C:\\VMs\\{name}\\{name}.vhdx"
        wanted: dict[str, Value] = {"NewVHDPath": path, "NewVHDSizeBytes": 8 << 20, **more}
        return self.call("New-VM", wanted, Name=name, MemoryStartupBytes=512 << 20).one

    def get(self, name: str = "a") -> dict[str, Value]:
        return self.call("Get-VM", Name=[name]).one.properties

    def state(self, name: str = "a") -> str:
        return str(self.get(name)["State"])

    def do(self, cmdlet: str, name: str = "a", **more: Value) -> Heard:
        """Call a cmdlet that names VMs with -Name, and expect no error."""
        heard = self.call(cmdlet, {"Name": [name], **more})
        assert not heard.errors, heard.errors
        return heard
