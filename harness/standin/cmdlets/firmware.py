"""BIOS, firmware and serial ports of a VM."""

from __future__ import annotations

from collections.abc import Iterable

from harness.standin import devices
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import each, number, sources, texts
from harness.standin.faults import Refused, reported
from harness.standin.host import Host
from harness.standin.lifecycle import require
from harness.standin.parts import Part, component
from harness.standin.values import Record, Value
from harness.standin.world import Vm

GENERATION_2_ONLY = (
    "The Generation 1 virtual machine or snapshot '{name}' has a BIOS and no firmware settings."
)


def get_firmware(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMFirmware: every VM of the stand-in is Generation 1, which has none."""
    for source in sources(host, given, streams):
        with reported(given, host.release, streams):
            raise Refused("InvalidParameter", GENERATION_2_ONLY.format(name=source.vm.name))
    return ()


def set_firmware(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Set-VMFirmware: refused for the same reason."""

    def act(vm: Vm) -> None:
        raise Refused("InvalidParameter", GENERATION_2_ONLY.format(name=vm.name))

    return each(host, given, streams, act)


def get_bios(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMBios."""
    for source in sources(host, given, streams):
        yield bios(host, Part(source.vm, source.settings, source.snapshot))


def bios(host: Host, part: Part) -> Record:
    """Build a VMBios."""
    values: dict[str, Value] = {
        "NumLockEnabled": part.settings.num_lock,
        "StartupOrder": list(part.settings.boot),
    }
    return component(host, part, "VMBios", values)


def set_bios(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Set-VMBios: remembered; the stand-in always starts from the first disk."""

    def act(vm: Vm) -> list[Value]:
        require(vm, "Off")
        if given.flag("EnableNumLock") or given.flag("DisableNumLock"):
            vm.settings.num_lock = given.flag("EnableNumLock")
        if "StartupOrder" in given:
            vm.settings.boot = tuple(texts(given["StartupOrder"]))
        return [bios(host, Part(vm, vm.settings))] if given.flag("Passthru") else []

    return each(host, owned(given, "VMBios"), streams, act)


def owned(given: Given, name: str) -> Given:
    """Return the parameters with the VMs of an object parameter as -VM."""
    objects = given.get(name)
    if not isinstance(objects, list):
        return given
    return Given(given.cmdlet, {**given.values, "VM": objects})


def get_com_port(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMComPort."""
    wanted = number(given, "Number")
    for source in sources(host, given, streams):
        for n, port in source.settings.com.items():
            if wanted in (None, n):
                yield devices.com_port(host, Part(source.vm, port, source.snapshot), n)


def set_com_port(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Set-VMComPort: remembered; the guest's first serial port goes to the machine's log."""

    def act(vm: Vm) -> list[Value]:
        made: list[Value] = []
        for n in _ports(vm, given):
            port = vm.settings.com[n]
            path = str(given.get("Path", port.path))
            if path and not path.startswith("\\\\"):
                raise Refused("InvalidParameter", f"'{path}' is no named pipe.", path)
            port.path, port.debugger = path, str(given.get("DebuggerMode", port.debugger))
            made.append(devices.com_port(host, Part(vm, port), n))
        return made if given.flag("Passthru") else []

    return each(host, owned(given, "VMComPort"), streams, act)


def _ports(vm: Vm, given: Given) -> list[int]:
    objects = given.get("VMComPort")
    if isinstance(objects, list):
        mine = [o.live for o in objects if isinstance(o, Record) and isinstance(o.live, Part)]
        return [n for n, port in vm.settings.com.items() for p in mine if p.item is port]
    wanted = number(given, "Number")
    if wanted not in vm.settings.com:
        raise Refused("InvalidParameter", "A serial port is number 1 or 2.", str(wanted))
    return [wanted]


CMDLETS = (
    Cmdlet("Get-VMFirmware", get_firmware),
    Cmdlet("Set-VMFirmware", set_firmware),
    Cmdlet("Get-VMBios", get_bios),
    Cmdlet("Set-VMBios", set_bios),
    Cmdlet("Get-VMComPort", get_com_port),
    Cmdlet("Set-VMComPort", set_com_port),
)
