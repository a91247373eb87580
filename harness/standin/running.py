"""One QEMU process as a running machine: what can be done to it while it lives."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from threading import RLock
from typing import Protocol, TypeVar

from harness.deadline import SYSTEM, Deadline, wait_for
from harness.errors import DeadlineExceeded
from harness.standin import blockcopy, blocks, hotplug, memory, screen
from harness.standin.agent import Agent
from harness.standin.frozen import frozen
from harness.standin.machines import (
    DiskSpec,
    GuestReport,
    MachineError,
    MachineSpec,
    MemoryReport,
    Picture,
)
from harness.standin.notices import Notice, taken
from harness.standin.qmp import Qmp
from harness.standin.savedstate import write_state
from harness.standin.watch import GuestWatch

T = TypeVar("T")

START = timedelta(seconds=90)
"""Starting takes well under a second; a machine that is short of processors needs patience."""

STATE = timedelta(minutes=5)
"""For writing, reading or merging gigabytes."""

POLL = timedelta(milliseconds=20)


class Process(Protocol):
    """What is used of a child process; subprocess.Popen has it."""

    def poll(self) -> int | None:
        """Return the exit status (negative: the signal that ended it), None while it runs."""

    def kill(self) -> None:
        """End it at once."""


class Running:
    """A machine that has a process. Methods raise MachineError when QEMU refuses or has ended."""

    def __init__(
        self,
        spec: MachineSpec,
        process: Process,
        ends: tuple[socket.socket, socket.socket],
        said: Callable[[], str],
    ) -> None:
        self.spec, self._process, self._said = spec, process, said
        self._qmp, self._agent = Qmp(ends[0], spec.name, self.last_words), Agent(ends[1])
        self._watch = GuestWatch(self._agent, spec.nics, self._listening)
        self._lock, self._paused, self._busy = RLock(), False, False
        self._since = SYSTEM.monotonic()

    def begin(self, *, resumed: bool) -> None:
        """Wait until QEMU is ready (and has read the saved state) and let the processors run."""
        deadline = Deadline(START)
        self._qmp.negotiate(deadline.remaining())
        if resumed:
            self._until("the saved state", lambda: self._status() != "inmigrate", STATE)
        for index, nic in enumerate(self.spec.nics):
            if nic.address is None and nic.network is None:
                self._qmp.execute("set_link", {"name": f"nic{index}", "up": False})
        if self.spec.hot_plug:
            memory.begin(self._qmp)
        self._go()
        self._since = SYSTEM.monotonic()
        if resumed:
            self._watch.set_clock()

    def alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.poll() is None

    def last_words(self) -> str:
        """Return how QEMU ended and what it said on stderr; "" while it runs."""
        with suppress(MachineError):
            self._until("the end", lambda: not self.alive(), timedelta(seconds=5))
        return "" if self.alive() else ending(self._process.poll(), self._said())

    def state(self) -> str:
        """Return running, paused or off."""
        try:
            running = not self._paused if self._busy else self._status() == "running"
        except MachineError:
            if self.alive():
                raise
            return "off"
        return "off" if not self.alive() else "running" if running else "paused"

    def notices(self) -> tuple[Notice, ...]:
        """Return what the guest did by itself since the last call; the status tells of it."""
        seen = taken(self._qmp.events)
        if Notice.RESET in seen:
            self._since = SYSTEM.monotonic()
        return seen

    def pause(self) -> None:
        """Stop the processors."""
        with self._lock:
            self._qmp.execute("stop")
            self._paused = True
            self._watch.forget()

    def resume(self) -> None:
        """Let the processors run, and put the guest's clock right."""
        with self._lock:
            self._go()
            self._paused = False
            self._watch.set_clock()

    def reset(self) -> None:
        """Press reset."""
        self._qmp.execute("system_reset")
        self._watch.forget()

    def inject_nmi(self) -> None:
        """Send one NMI."""
        self._qmp.execute("inject-nmi")

    def picture(self, file: Path) -> Picture:
        """Return what the display shows; ``file`` holds it for a moment."""
        with self._lock:
            return screen.picture(self._qmp, file)

    def point(self, file: Path, x: int, y: int) -> None:
        """Move the pointer to a pixel of the display."""
        with self._lock:
            screen.point(self._qmp, screen.picture(self._qmp, file), x, y)

    def assigned(self) -> int:
        """Return the guest's memory in bytes, less what the balloon holds."""
        return int(self._qmp.execute("query-balloon")["actual"])

    def memory(self) -> MemoryReport:
        """Return what it has and what its guest's balloon driver told."""
        return memory.report(self._qmp)

    def add_memory(self, size: int) -> None:
        """Plug one more memory module."""
        with self._lock:
            memory.add(self._qmp, size)

    def balloon(self, target: int) -> None:
        """Ask the guest to keep that many bytes."""
        with self._lock:
            self._qmp.execute("balloon", {"value": target})

    def uptime(self) -> float:
        """Return the seconds since its processors were first let go."""
        return SYSTEM.monotonic() - self._since

    def guest(self) -> GuestReport:
        """Return what the guest's agent tells."""
        return GuestReport() if self._paused else self._watch.report()

    def inside(self, script: str, within: float) -> str:
        """Run a shell script in the guest by its agent; return what it printed."""
        done = self._agent.run(script, timedelta(seconds=within)) if self._listening() else None
        if done is None:
            raise MachineError(f"{self.spec.name}: no agent in the guest answers")
        if done[0]:
            raise MachineError(f"{self.spec.name}: a script in the guest failed: {done[1].strip()}")
        return done[1]

    def shut_down(self, within: float) -> bool:
        """Ask the guest through its agent, else by the power button; tell whether it went off."""
        deadline = Deadline(timedelta(seconds=within))
        if not (self._listening() and self._agent.shut_down()):
            self._qmp.execute("system_powerdown")
        with suppress(MachineError):
            self._until("the guest's shutdown", lambda: not self.alive(), deadline.remaining())
        return not self.alive()

    def end(self) -> None:
        """Take the power away: QEMU writes out its files and ends; it is killed if it does not."""
        quickly = timedelta(seconds=5)
        try:
            self._qmp.execute("quit", within=quickly)
            self._until("the end", lambda: not self.alive(), quickly)
        except MachineError:
            self._process.kill()
            self._until("the end of a killed QEMU", lambda: not self.alive(), START)
        self.release()

    def release(self) -> None:
        """Close the channels; the process has ended."""
        self._watch.close()
        self._qmp.close()

    def save(self, to: Path) -> None:
        """Write the state to a file and end; when that fails the machine goes on as it was."""
        with self._lock, self._standstill():
            write_state(self._qmp, to, STATE)
            self.end()

    def checkpoint(self, state: Path, overlays: blocks.Overlays) -> None:
        """Write the state and switch the disks at the same instant; all of it, or nothing."""
        with self._lock, self._standstill():
            blocks.switch(self._qmp, overlays)
            try:
                write_state(self._qmp, state, STATE)
            except MachineError:
                for disk, overlay in overlays:
                    blocks.merge(self._qmp, overlay, disk, STATE)
                    overlay.unlink()
                raise

    def production_checkpoint(self, overlays: blocks.Overlays) -> None:
        """Switch the disks while the guest's file systems stand still."""
        with self._lock, frozen(self._agent, self._listening):
            blocks.switch(self._qmp, overlays)

    def online_backup(self, copies: blocks.Overlays) -> None:
        """Begin to copy the disks while the guest's file systems stand still; wait for the end."""
        asked = self.spec.frozen_copies
        with self._lock, blockcopy.targets(self._qmp, copies) as names:
            with frozen(self._agent, self._listening) if asked else nullcontext():
                blockcopy.begin(self._qmp, names)
            blockcopy.finish(self._qmp, names, STATE)

    def attach(self, disk: DiskSpec) -> None:
        """Plug a SCSI disk in."""
        with self._lock:
            hotplug.attach(self._qmp, disk)

    def detach(self, disk: DiskSpec) -> None:
        """Pull a SCSI disk out."""
        with self._lock:
            hotplug.detach(self._qmp, disk)

    def grow(self, disk: DiskSpec, size: int) -> None:
        """Make a disk larger and tell the guest."""
        with self._lock:
            blocks.grow(self._qmp, disk.path, size)

    def merge(self, child: Path, parent: Path) -> None:
        """Merge a disk of the machine into its parent while it is used."""
        with self._lock:
            blocks.merge(self._qmp, child, parent, STATE)

    @contextmanager
    def _standstill(self) -> Iterator[None]:
        """Stop the processors meanwhile; a paused machine stays paused, an ended one ended."""
        self._busy = True
        try:
            self._qmp.execute("stop")
            yield
        finally:
            if self.alive() and not self._paused:
                self._go()
            self._busy = False

    def _go(self) -> None:
        self._qmp.execute("cont")
        self._until("the start of its processors", lambda: self._status() == "running", START)

    def _status(self) -> str:
        return str(self._qmp.execute("query-status")["status"])

    def _listening(self) -> bool:
        """Tell whether somebody in the guest has opened the agent's port."""
        try:
            found = self._qmp.execute("query-chardev", within=timedelta(seconds=3))
        except MachineError:
            return False
        return any(port["label"] == "agent" and port["frontend-open"] for port in found)

    def _until(self, what: str, happened: Callable[[], bool], within: timedelta) -> None:
        try:
            wait_for(what, lambda: happened() or None, within, every=POLL)
        except DeadlineExceeded as error:
            raise MachineError(f"{self.spec.name}: {error}") from error


def ending(status: int | None, said: str) -> str:
    """Put in words how a QEMU ended; ``status`` is negative when a signal ended it."""
    lines = [line for line in said.splitlines() if line.strip() and ": warning:" not in line]
    how = f"exit status {status}"
    if status is not None and status < 0:
        how = f"ended by {signal.Signals(-status).name}"
    return ": ".join((how, " / ".join(lines[-4:]) or "it said nothing"))
