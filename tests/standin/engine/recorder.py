"""A console on one made-up host: what was written to each stream, and a few made-up bodies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.standin.api import CommandCall, ErrorRecord, Given, Request, Streams, Terminated
from harness.standin.cmdlet import Cmdlet
from harness.standin.engine import HostEngine
from harness.standin.host import Host
from harness.standin.values import EnumValue, Record, Value

VM_TYPES = (
    "Microsoft.HyperV.PowerShell.VirtualMachine",
    "Microsoft.HyperV.PowerShell.VirtualMachineBase",
    "System.Object",
)


@dataclass
class Recorder:
    """Streams that remember."""

    outputs: list[Value] = field(default_factory=list)
    errors: list[ErrorRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    verboses: list[str] = field(default_factory=list)
    debugs: list[str] = field(default_factory=list)

    def output(self, value: Value) -> None:
        self.outputs.append(value)

    def error(self, record: ErrorRecord) -> None:
        self.errors.append(record)

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def verbose(self, text: str) -> None:
        self.verboses.append(text)

    def debug(self, text: str) -> None:
        self.debugs.append(text)

    def progress(self, activity: str, status: str, percent: int) -> None:
        """Nobody looks at progress here."""

    def check(self) -> None:
        """Nobody stops here."""


@dataclass
class Console:
    """An engine and what it was asked; ``calls`` are what the made-up bodies were given."""

    host: Host
    calls: list[Given] = field(default_factory=list)
    streams: Recorder = field(default_factory=Recorder)

    def __post_init__(self) -> None:
        self.engine = HostEngine(self.host, self._bodies())

    def run(self, *statements: tuple[CommandCall, ...], feed: tuple[Value, ...] = ()) -> Recorder:
        """Run a request and return its streams."""
        self.streams = Recorder()
        self.engine.run(Request(statements, feed), self.streams)
        return self.streams

    def show(self, text: str) -> str:
        """Run text as a remote console does; returns what it prints."""
        self.streams = Recorder()
        return self.engine.run_text(text, self.streams).replace("\r\n", "\n")

    def refusal(self, text: str) -> ErrorRecord:
        """Run text that must fail; returns the one error, terminating or not."""
        try:
            self.show(text)
        except Terminated as failed:
            return failed.record
        (record,) = self.streams.errors
        return record

    def _bodies(self) -> tuple[Cmdlet, ...]:
        return (
            Cmdlet("Get-VM", self._get_vm),
            *(Cmdlet(name, self._note) for name in (
                "Set-VM", "Start-VM", "Restore-VMSnapshot", "Set-VMMemory", "Get-VMNetworkAdapter",
                "Invoke-CimMethod", "Enable-VMIntegrationService", "Wait-VM",
            )),
            Cmdlet("Get-CimInstance", self._service),
            Cmdlet("Stop-VM", self._complain),
        )  # fmt: skip

    def _get_vm(self, _: Host, given: Given, __: Streams) -> Iterator[Value]:
        self.calls.append(given)
        names = given.get("Name", ["a", "b"])
        for name in names if isinstance(names, list) else [names]:
            yield virtual_machine(str(name))

    def _note(self, _: Host, given: Given, __: Streams) -> Iterator[Value]:
        self.calls.append(given)
        if given.cmdlet == "Invoke-CimMethod":
            job = Record(("Msvm_ConcreteJob",), {"InstanceID": "J1"})
            yield Record(("Answer",), {"ReturnValue": 4096, "Job": job})

    def _service(self, _: Host, given: Given, __: Streams) -> Iterator[Value]:
        self.calls.append(given)
        kind = "Microsoft.Management.Infrastructure.CimInstance"
        yield Record((f"{kind}#root/virtualization/v2/Msvm_X", kind), {}, live=self.host)

    def _complain(self, _: Host, given: Given, streams: Streams) -> Iterator[Value]:
        self.calls.append(given)
        streams.warning("warned")
        streams.verbose("told")
        streams.debug("told more")
        streams.error(ErrorRecord("Made,Up", "InvalidOperation", ("System.Exception",), "made up"))
        yield "went on"


def virtual_machine(name: str, *, live: bool = True) -> Record:
    """Return a VM as Get-VM would, or a copy as it comes back over the wire."""
    state = EnumValue("Microsoft.HyperV.PowerShell.VMState", "Off", 3)
    values: dict[str, Value] = {"Name": name, "State": state, "MemoryAssigned": 1 << 30}
    return Record(VM_TYPES, values, f"VirtualMachine (Name = '{name}')", object() if live else None)


def call(name: str, *positional: Value, **named: Value) -> CommandCall:
    """Return a structured call."""
    return CommandCall(name, arguments=(*((None, value) for value in positional), *named.items()))
