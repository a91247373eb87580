"""Host pressure: VMs without a disk that hold memory, marked and swept like every other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.checks.pressure import NOTHING, Room, fillers, why_not
from harness.errors import HarnessError, HostError, HostRefused
from harness.evidence import Measured
from harness.host.command import Cmdlet, Value
from harness.host.facts import measure_host
from harness.host.gate import StartGate
from harness.host.lifecycle import mark_of, remove, vm_name
from harness.host.session import HostSession
from harness.host.vm import SLOW
from harness.inventory.model import Host
from harness.units import Bytes

FULL = "OutOfMemory,"


class Fillers:
    """What one case may fill a host with; nothing is made before ``filled``."""

    def __init__(
        self, session: HostSession, host: Host, run: str, case: str, gate: StartGate
    ) -> None:
        self._session, self._host, self._run, self._case = session, host, run, case
        self._gate, self._leave = gate, NOTHING
        self._made: list[str] = []
        self._held = Bytes(0)

    def room(self) -> Measured[Room]:
        """Measure what is free on the host, beside what may be taken."""
        facts, host = measure_host(self._session), self._host
        reserve = host.memory_reserve + self._leave
        room = Room(facts.value.free_memory, reserve, host.memory_budget, self._held)
        return Measured(room, facts.evidence)

    @contextmanager
    def filled(self, *, leave: Bytes = NOTHING) -> Iterator[None]:
        """Hold the host's memory down to its reserve; nobody else of this run starts a VM.

        ``leave``: so much stays free on top of the reserve.
        """
        with self._gate.closed():
            self._leave = leave
            try:
                self.fill()
                yield
            finally:
                self.remove()

    def fill(self) -> None:
        """Fill the host down to its reserve, again when others have let go of memory."""
        room = self.room().value
        if reason := why_not(room):
            raise HostError(self._host.name, reason, "raise memory_budget or leave the case out")
        for size in fillers(room):
            if not self._add(size):
                return

    def remove(self) -> None:
        """Remove all fillers; each is tried even if another fails."""
        problems = []
        for name in self._made:
            try:
                remove(self._session, name, f"{self._host.vm_path}\\{name}")
            except HarnessError as wrong:
                problems.append(str(wrong))
        self._made.clear()
        self._held = Bytes(0)
        if problems:
            raise HostError(self._host.name, "; ".join(problems))

    def _add(self, size: Bytes) -> bool:
        """Make and start one filler; tell whether the host had the memory."""
        name = vm_name(self._run, f"{self._case}-filler")
        folder = f"{self._host.vm_path}\\{name}"
        new: dict[str, Value] = {
            "Name": name,
            "Path": folder,
            "Generation": 1,
            "MemoryStartupBytes": size,
        }
        self._made.append(name)
        self._session.run(Cmdlet("New-VM", {**new, "NoVHD": True}), within=SLOW)
        self._session.run(Cmdlet("Set-VM", {"Name": name, "Notes": mark_of(self._run)}))
        static: dict[str, Value] = {
            "VMName": name,
            "DynamicMemoryEnabled": False,
            "StartupBytes": size,
        }
        self._session.run(Cmdlet("Set-VMMemory", static))
        try:
            self._session.run(Cmdlet("Start-VM", {"Name": name}), within=SLOW)
        except HostRefused as refused:
            if refused.record.fqid.startswith(FULL):
                return False
            raise
        self._held += size
        return True
