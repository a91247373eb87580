"""Virtual machines as QEMU processes: starting them, keeping them, and never losing one."""

from __future__ import annotations

import select
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from io import BufferedReader
from pathlib import Path
from threading import RLock
from uuid import UUID

from harness.standin.commandline import Channels, exact_gap, render
from harness.standin.complaints import explain
from harness.standin.hub import Hub
from harness.standin.leftovers import kill_leftovers, pid_file
from harness.standin.machines import (
    DiskSpec,
    GuestReport,
    MachineError,
    MachineSpec,
    MemoryReport,
    Picture,
)
from harness.standin.notices import Notice
from harness.standin.running import Running

__all__ = ["QemuMachines", "choose_accelerator", "exact_gap", "kill_leftovers"]

PROGRAM = "qemu-system-x86_64"

KVM_TRIAL = (
    *("-accel", "kvm", "-cpu", "host", "-M", "pc", "-m", "64", "-nodefaults", "-display", "none"),
    *("-chardev", "stdio,id=log", "-device", "isa-debugcon,iobase=0x402,chardev=log"),
)
"""A machine without disks whose firmware (SeaBIOS) says hello at port 0x402, if it runs at all."""


class QemuMachines:
    """Satisfies ``machines.Machines``. ``run_dir`` holds pid files and what QEMU says on stderr.

    ``accelerator`` is "tcg" or "kvm"; None takes KVM where it truly works. Processes are children
    of one thread that lives as long as this object, because the kernel ends them
    (PR_SET_PDEATHSIG) when that thread ends, be it by ``close`` or with the whole stand-in.
    """

    def __init__(
        self, run_dir: Path, accelerator: str | None = None, program: str = PROGRAM
    ) -> None:
        self._dir, self._program, self._accelerator = run_dir.absolute(), program, accelerator
        self._dir.mkdir(parents=True, exist_ok=True)
        self._parent = ThreadPoolExecutor(1, thread_name_prefix="qemu-parent")
        self._lock, self._hub = RLock(), Hub()
        self._running: dict[UUID, Running] = {}
        self._last_words: dict[UUID, str] = {}

    def start(self, spec: MachineSpec, resume_from: Path | None = None) -> None:
        """Start a machine, or take it up from a saved state; returns when its processors run."""
        with self._lock:
            if self._find(spec.id):
                raise MachineError(f"{spec.name}: the machine is running already")
            machine = self._launch(spec, resume_from)
            self._running[spec.id] = machine
            self._last_words.pop(spec.id, None)
        try:
            machine.begin(resumed=resume_from is not None)
        except MachineError as error:
            self._drop(spec.id, machine)
            raise MachineError(explain(spec, str(error))) from error

    def kill(self, vm: UUID) -> None:
        """Turn it off at once; no error when it is not running."""
        machine = self._find(vm)
        if machine:
            self._drop(vm, machine)

    def shut_down(self, vm: UUID, within: float) -> bool:
        """Ask the guest to shut down; tell whether the machine is off."""
        machine = self._find(vm)
        return machine is None or machine.shut_down(within)

    def reset(self, vm: UUID) -> None:
        """Press reset."""
        self._get(vm).reset()

    def pause(self, vm: UUID) -> None:
        """Stop its processors."""
        self._get(vm).pause()

    def resume(self, vm: UUID) -> None:
        """Let its processors run."""
        self._get(vm).resume()

    def save(self, vm: UUID, to: Path) -> None:
        """Write the state to a file and end the process; on failure the machine goes on."""
        self._get(vm).save(to)
        self._find(vm)

    def checkpoint(self, vm: UUID, state: Path, overlays: tuple[tuple[Path, Path], ...]) -> None:
        """Write the state and switch the disks to overlays at the same instant."""
        self._get(vm).checkpoint(state, overlays)

    def merge(self, vm: UUID, child: Path, parent: Path) -> None:
        """Merge a disk into its parent while the machine uses it (both files stay)."""
        self._get(vm).merge(child, parent)

    def production_checkpoint(self, vm: UUID, overlays: tuple[tuple[Path, Path], ...]) -> None:
        """Switch the disks to overlays while the guest's file systems are frozen."""
        self._get(vm).production_checkpoint(overlays)

    def online_backup(self, vm: UUID, copies: tuple[tuple[Path, Path], ...]) -> None:
        """Copy the disks as they are while the guest's file systems are frozen."""
        self._get(vm).online_backup(copies)

    def attach(self, vm: UUID, disk: DiskSpec) -> None:
        """Give a running machine one more SCSI disk."""
        self._get(vm).attach(disk)

    def detach(self, vm: UUID, disk: DiskSpec) -> None:
        """Take a SCSI disk away from a running machine."""
        self._get(vm).detach(disk)

    def grow(self, vm: UUID, disk: DiskSpec, size: int) -> None:
        """Make a disk of a running machine larger and tell the guest."""
        self._get(vm).grow(disk, size)

    def inject_nmi(self, vm: UUID) -> None:
        """Send one NMI."""
        self._get(vm).inject_nmi()

    def picture(self, vm: UUID) -> Picture:
        """Return what its display shows."""
        return self._get(vm).picture(self._dir / f"{vm}.ppm")

    def point(self, vm: UUID, x: int, y: int) -> None:
        """Move the pointer to a pixel."""
        self._get(vm).point(self._dir / f"{vm}.ppm", x, y)

    def state(self, vm: UUID) -> str:
        """Return running, paused or off (also when QEMU died)."""
        machine = self._find(vm)
        return machine.state() if machine else "off"

    def notices(self, vm: UUID) -> tuple[Notice, ...]:
        """Return what the guest did by itself since the last call."""
        machine = self._find(vm)
        return machine.notices() if machine else ()

    def last_words(self, vm: UUID) -> str:
        """Return how the machine's last QEMU ended and what it said; "" while it runs."""
        self._find(vm)
        return self._last_words.get(vm, "")

    def assigned(self, vm: UUID) -> int:
        """Return the memory in bytes that the guest has now; 0 when off."""
        machine = self._find(vm)
        return machine.assigned() if machine else 0

    def memory(self, vm: UUID) -> MemoryReport:
        """Return what it has and what its guest's balloon driver told."""
        return self._get(vm).memory()

    def add_memory(self, vm: UUID, size: int) -> None:
        """Plug one more memory module."""
        self._get(vm).add_memory(size)

    def balloon(self, vm: UUID, target: int) -> None:
        """Ask the guest to keep that many bytes."""
        self._get(vm).balloon(target)

    def uptime(self, vm: UUID) -> float:
        """Return seconds since start or resume; 0 when off."""
        machine = self._find(vm)
        return machine.uptime() if machine else 0.0

    def inside(self, vm: UUID, script: str, within: float) -> str:
        """Run a shell script in the guest by its agent; return what it printed."""
        return self._get(vm).inside(script, within)

    def guest(self, vm: UUID) -> GuestReport:
        """Return what the guest's agent tells; waits at most about half a second."""
        machine = self._find(vm)
        return machine.guest() if machine else GuestReport()

    def close(self) -> None:
        """End every machine that this object started."""
        for vm in tuple(self._running):
            self.kill(vm)
        self._parent.shutdown()
        self._hub.close()

    def _find(self, vm: UUID) -> Running | None:
        """Return the machine if its process lives; keep the last words of one that has died."""
        with self._lock:
            machine = self._running.get(vm)
            if machine and not machine.alive():
                del self._running[vm]
                self._last_words[vm] = machine.last_words()
                pid_file(self._dir, vm).unlink(missing_ok=True)
                machine.release()
                return None
            return machine

    def _get(self, vm: UUID) -> Running:
        machine = self._find(vm)
        if machine is None:
            raise MachineError(f"the machine {vm} is not running" + self._because(vm))
        return machine

    def _because(self, vm: UUID) -> str:
        words = self._last_words.get(vm)
        return f" (its QEMU: {words})" if words else ""

    def _drop(self, vm: UUID, machine: Running) -> None:
        machine.end()
        self._find(vm)

    def _launch(self, spec: MachineSpec, resume_from: Path | None) -> Running:
        """Start the process with its channels; ``begin`` then waits until it is ready."""
        if self._accelerator is None:
            self._accelerator = choose_accelerator(self._program)
        said = self._dir / f"{spec.id}.stderr"
        with ExitStack() as ours, ExitStack() as theirs:
            (qmp, qmp_end), (agent, agent_end) = socket.socketpair(), socket.socketpair()
            for stack, ends in ((ours, (qmp, agent)), (theirs, (qmp_end, agent_end))):
                for end in ends:
                    stack.enter_context(end)
            incoming = theirs.enter_context(_opened(resume_from)).fileno() if resume_from else None
            ports = [
                theirs.enter_context(self._hub.attach(n.network)) if n.network else None
                for n in spec.nics
            ]
            frames = tuple(port.fileno() if port else None for port in ports)
            channels = Channels(qmp_end.fileno(), agent_end.fileno(), incoming, frames)
            argv = render(spec, self._accelerator, channels, pid_file(self._dir, spec.id))
            process = self._parent.submit(_spawn, (self._program, *argv), channels, said).result()
            ours.pop_all()  # they are the machine's now
        return Running(spec, process, (qmp, agent), lambda: said.read_text(errors="replace"))


def _opened(state: Path) -> BufferedReader:
    try:
        return state.open("rb")
    except OSError as error:
        raise MachineError(f"{state}: the saved state cannot be read: {error.strerror}") from error


def _spawn(argv: tuple[str, ...], channels: Channels, said: Path) -> subprocess.Popen[bytes]:
    """Start a child that the kernel kills when the calling thread ends."""
    program = shutil.which(argv[0])
    if program is None:
        advice = "install QEMU (Debian: qemu-system-x86)"
        raise MachineError(f"{argv[0]} is missing; {advice}")
    guard = ("setpriv", "--pdeathsig", "KILL", "--", program)
    try:
        with said.open("wb") as stderr:
            return subprocess.Popen(  # noqa: S603 - argv, no shell
                (*guard, *argv[1:]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=channels.all,
                start_new_session=True,  # a Ctrl-C at the terminal is the stand-in's to handle
            )
    except OSError as error:
        raise MachineError(f"QEMU could not be started: {error}") from error


@cache
def choose_accelerator(program: str = PROGRAM, seconds: float = 5) -> str:
    """Return "kvm" where a machine was seen to run under it just now, else "tcg"."""
    flags = Path("/proc/cpuinfo").read_text().split()
    if not {"vmx", "svm"} & set(flags) or not Path("/dev/kvm").exists():
        return "tcg"
    try:
        trial = subprocess.Popen(  # noqa: S603 - argv, no shell
            (program, *KVM_TRIAL), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
    except OSError:
        return "tcg"
    with trial:
        assert trial.stdout is not None  # noqa: S101 - it was asked for above
        ready = select.select([trial.stdout], [], [], seconds)[0]
        spoke = bool(ready and trial.stdout.read(1))
        trial.kill()
    return "kvm" if spoke else "tcg"
