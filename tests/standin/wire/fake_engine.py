"""A small engine behind the real wire."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from harness.standin.api import CommandCall, ErrorRecord, Request, Streams, Terminated
from harness.standin.values import Byte, EnumValue, Record, UInt16, UInt32, UInt64, Value

PASSWORD = "Wire:pass word-1"  # noqa: S105 - made up for these tests
VM = "Microsoft.HyperV.PowerShell.VirtualMachine"
VM_STATE = "Microsoft.HyperV.PowerShell.VMState"


def virtual_machine(name: str) -> Record:
    adapter = Record(("Microsoft.HyperV.PowerShell.VMNetworkAdapter", "System.Object"), {}, "nic 0")
    return Record(
        (VM, "Microsoft.HyperV.PowerShell.VirtualMachineBase", "System.Object"),
        {
            "Name": name,
            "State": EnumValue(VM_STATE, "Running", 2),
            "Id": UUID(int=7),
            "Generation": 2,
            "MemoryAssigned": 2**33,
            "Uptime": timedelta(days=1, seconds=2.5),
            "CreationTime": datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
            "Notes": None,
            "NetworkAdapters": [adapter, adapter],
            "Sizes": [Byte(1), UInt16(2), UInt32(3), UInt64(2**63)],
            "IsClustered": False,
            "ParentCheckpoint": Record(("X", "System.Object"), {"deep": 1}, "a checkpoint"),
        },
        text=f"VirtualMachine (Name = '{name}')",
    )


def not_found(name: str) -> ErrorRecord:
    return ErrorRecord(
        fqid="InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM",
        category="InvalidArgument",
        exception_types=(
            "Microsoft.HyperV.PowerShell.VirtualizationException",
            "System.Exception",
            "System.Object",
        ),
        message=f'Hyper-V was unable to find a virtual machine with name "{name}".',
        activity="Get-VM",
        target_name=name,
        target_type="String",
    )


@dataclass
class FakeEngine:
    """Knows a handful of commands; keeps what it was asked."""

    asked: list[Request] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self, request: Request, streams: Streams) -> None:
        self.asked.append(request)
        for statement in request.statements:
            for call in statement:
                self._call(call, request, streams)

    def run_text(self, text: str, streams: Streams) -> str:
        if text.startswith("throw"):
            raise Terminated(not_found("x"))
        if text.startswith("complain"):
            streams.error(not_found("x"))
        if text.startswith("warn"):
            streams.warning("careful")
        return f"ran <{text}>\n"

    def _call(self, call: CommandCall, request: Request, streams: Streams) -> None:
        arguments = {name: value for name, value in call.arguments if name}
        if call.is_script:
            streams.output(f"script {call.text} {sorted(arguments)}")
        elif call.text == "Get-VM":
            streams.output(virtual_machine(str(arguments.get("Name", "vm"))))
        elif call.text == "Echo":
            for value in (*request.input, *(value for _, value in call.arguments)):
                streams.output(value)
        elif call.text == "Complain":
            streams.output("before")
            streams.error(not_found("x"))
            streams.output("after")
        elif call.text == "Fail":
            raise Terminated(not_found("y"))
        elif call.text == "Crash":
            raise RuntimeError("secret detail of the host")
        else:
            self._slow_call(call, arguments, streams)

    def _slow_call(self, call: CommandCall, arguments: dict[str, Value], streams: Streams) -> None:
        if call.text == "All-Streams":
            streams.verbose("v")
            streams.warning("w")
            streams.debug("d")
            streams.progress("Working", "half", 50)
            streams.output(1)
        elif call.text == "Many":
            count = arguments["Count"]
            assert isinstance(count, int)
            for number in range(count):
                streams.output(number)
        elif call.text == "Wait":
            self.began.set()
            try:
                while not self.release.wait(0.005):
                    streams.check()
                streams.output("released")
            finally:
                self.ended.set()
        else:
            raise Terminated(not_found(call.text))
