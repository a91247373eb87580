"""One VM on a host: what the harness does with it, as calls that every release documents."""

from __future__ import annotations

import ipaddress
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta

from harness.checks.memory import HostMemory, Limits, host_lines, parse_host_memory
from harness.deadline import wait_for
from harness.errors import DeadlineExceeded, HostRefused
from harness.evidence import Evidence, Measured
from harness.host import gap
from harness.host.command import Cmdlet, GapPath, Value
from harness.host.gate import StartGate
from harness.host.refusal import refused_by
from harness.host.session import Answer, Attempt, HostObject, HostSession, Refusal
from harness.units import Bytes

DEBUG_VM = "Microsoft.HyperV.PowerShell.Commands.DebugVM"
CHECKPOINT_TYPES_FROM_BUILD = 14393
QUICK = timedelta(minutes=2)
SLOW = timedelta(minutes=10)
ASK_EVERY = timedelta(seconds=3)
"""For what takes a boot: a call costs host, wire and recording something, seconds cost nothing."""


@dataclass(frozen=True, slots=True)
class Vm:
    """A VM by its name; ``switch`` is the one whose adapter's addresses count."""

    session: HostSession
    name: str
    id: str
    switch: str
    gate: StartGate | None = None

    def start(self) -> None:
        """Start it, from a saved state when there is one; waits while a case fills the host."""
        with self.gate.starting() if self.gate else nullcontext():
            self._do("Start-VM", {"Name": self.name}, SLOW)

    def stop(self, *, hard: bool = False) -> None:
        """Ask the guest to shut down, or (hard) turn it off."""
        how: dict[str, Value] = {"TurnOff": True} if hard else {}
        self._do("Stop-VM", {"Name": self.name, **how, "Force": True}, SLOW)

    def save(self) -> None:
        """Save its state to disk; it is then Saved."""
        self._do("Save-VM", {"Name": self.name}, SLOW)

    def pause(self) -> None:
        """Stop its processors."""
        self._do("Suspend-VM", {"Name": self.name})

    def resume(self) -> None:
        """Let its processors run."""
        self._do("Resume-VM", {"Name": self.name})

    def checkpoint(self, name: str) -> None:
        """Take a checkpoint of that name."""
        self._do("Checkpoint-VM", {"Name": self.name, "SnapshotName": name}, SLOW)

    def checkpoint_with_memory(self, name: str, build: int) -> None:
        """Take a checkpoint that holds memory: a standard one, the only kind that 2012 R2 has.

        ``build`` is the host's. Source: Set-VM -CheckpointType, in Microsoft's pages since 2016.
        """
        if build >= CHECKPOINT_TYPES_FROM_BUILD:
            self._do("Set-VM", {"Name": self.name, "CheckpointType": "Standard"})
        self.checkpoint(name)

    def restore(self, name: str) -> None:
        """Put the VM back to a checkpoint; its impact is High, so the prompt is answered here."""
        self._do("Restore-VMSnapshot", {"VMName": self.name, "Name": name, "Confirm": False}, SLOW)

    def remove_checkpoint(self, name: str) -> None:
        """Remove a checkpoint; the host merges its disks."""
        self._do("Remove-VMSnapshot", {"VMName": self.name, "Name": name}, SLOW)

    def look(self) -> Answer:
        """Return Get-VM's answer for it."""
        return self.session.run(Cmdlet("Get-VM", {"Name": self.name}, safe_to_repeat=True))

    def state(self) -> str:
        """Return its state: Running, Off, Saved, Paused, …"""
        return self.look().one().string("State")

    def generation(self) -> Measured[int]:
        """Return the generation that the host says it has."""
        answer = self.look()
        return Measured(answer.one().integer("Generation"), (answer.evidence,))

    def set_memory(self, memory: Bytes) -> None:
        """Give it this much static memory; it must be off."""
        given: dict[str, Value] = {"DynamicMemoryEnabled": False, "StartupBytes": memory}
        self._do("Set-VMMemory", {"VMName": self.name, **given})

    def set_dynamic_memory(self, limits: Limits) -> None:
        """Give it dynamic memory; it must be off."""
        given: dict[str, Value] = {
            "DynamicMemoryEnabled": True,
            "StartupBytes": limits.startup,
            "MinimumBytes": limits.minimum,
            "MaximumBytes": limits.maximum,
            "Buffer": limits.buffer,
            "Priority": limits.priority,
        }
        self._do("Set-VMMemory", {"VMName": self.name, **given})

    def memory(self) -> Measured[HostMemory]:
        """Return what the host says it has and needs just now; the evidence is those lines."""
        answer = self.look()
        lines = host_lines(answer.evidence.answer)
        said = replace(answer.evidence, answer=lines)
        return Measured(parse_host_memory(lines), (said,))

    def measured_state(self) -> Measured[str]:
        """Return its state with the host's answer."""
        answer = self.look()
        return Measured(answer.one().string("State"), (answer.evidence,))

    def inject_nmi(self) -> None:
        """Inject one NMI."""
        self.session.run(self._debug())

    def attempt_nmi(self) -> Attempt:
        """Try to inject an NMI; a refusal by Debug-VM itself is an answer."""
        try:
            answer = self.session.run(self._debug())
        except HostRefused as refused:
            return refusal_of(refused, DEBUG_VM)
        return Attempt(None, (answer.evidence,))

    def low_mmio_gap(self) -> Measured[Bytes]:
        """Return the low gap that the host has on record for this VM itself, no checkpoint."""
        return gap.read(self.session, self.id)

    def attempt_low_mmio_gap(self, wanted: Bytes, path: GapPath) -> Attempt:
        """Try to set the gap on one of the host's two paths; the number goes as it is."""
        if path is GapPath.WMI:
            return gap.attempt_by_wmi(self.session, self.id, wanted)
        set_vm = Cmdlet("Set-VM", {"Name": self.name, "LowMemoryMappedIoSpace": wanted})
        try:
            answer = self.session.run(set_vm)
        except HostRefused as refused:
            return refusal_of(refused, gap.SET_VM)
        return Attempt(None, (answer.evidence,))

    def set_low_mmio_gap(self, wanted: Bytes, path: GapPath) -> None:
        """Set the gap; raise HostRefused or HostError when the host refuses it."""
        attempt = self.attempt_low_mmio_gap(wanted, path)
        if attempt.refusal is not None:
            raise gap.refused(self.session.name, wanted, attempt)

    def heartbeat_ok(self) -> bool:
        """Return whether the host hears the guest's heartbeat."""
        return self.look().one().string("Heartbeat").startswith("Ok")

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses reported for the adapter on ``switch``, IPv4 first."""
        ask = Cmdlet("Get-VMNetworkAdapter", {"VMName": self.name}, safe_to_repeat=True)
        found = [a for card in self.session.run(ask).records() for a in self._addresses_of(card)]
        return tuple(sorted(found, key=lambda a: ipaddress.ip_address(a).version))

    def wait_for_address(self, within: timedelta) -> tuple[str, ...]:
        """Wait until the host reports an address; say what the heartbeat tells when none comes."""
        try:
            return wait_for(
                f"an address of {self.name} on switch {self.switch}",
                lambda: self.addresses() or None,
                within,
                every=ASK_EVERY,
            )
        except DeadlineExceeded as late:
            advice = (
                "the heartbeat is OK, so the guest runs: its key-value daemon (hyperv-daemons) is"
                " missing, or it got no address by DHCP"
                if self.heartbeat_ok()
                else "there is no heartbeat: the guest is not up; look at its console"
            )
            raise DeadlineExceeded(late.waited_for, within, advice) from None

    def _addresses_of(self, adapter: HostObject) -> tuple[str, ...]:
        if adapter.string("SwitchName") != self.switch:
            return ()
        plain = (text.partition("%")[0] for text in adapter.strings("IPAddresses"))
        return tuple(a for a in plain if a and not ipaddress.ip_address(a).is_link_local)

    def _debug(self) -> Cmdlet:
        how: dict[str, Value] = {
            "InjectNonMaskableInterrupt": True,
            "Force": True,
            "Confirm": False,
        }
        return Cmdlet("Debug-VM", {"Name": self.name, **how})

    def _do(self, name: str, given: dict[str, Value], within: timedelta = QUICK) -> None:
        self.session.run(Cmdlet(name, given), within=within)


def refusal_of(refused: HostRefused, command: str) -> Attempt:
    """Return the command's own refusal as an answer; any other trouble is raised on."""
    record = refused.record
    by = refused_by(record, command)
    if by is None:
        raise refused
    said = (
        f"FullyQualifiedErrorId: {record.fqid}\nCategory: {record.category}\n"
        f"Exception: {record.exception_type}\nMessage: {record.message}"
    )
    proof = (Evidence(refused.command, said, f"host {refused.host}"),)
    return Attempt(Refusal(by, record.fqid), proof)
