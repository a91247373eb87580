"""What a host says of itself: measured, never taken from the inventory."""

from __future__ import annotations

from dataclasses import dataclass

from harness.evidence import Measured
from harness.host.command import Cmdlet
from harness.host.session import HostSession
from harness.units import Bytes, KiB

RELEASES = ((26100, "2025"), (20348, "2022"), (17763, "2019"), (14393, "2016"), (9600, "2012 R2"))
"""First build of each Windows Server release that hvcert knows, newest first."""

BROKEN = "broken on purpose: "
"""Begins an OEM string by which a host says how it was broken, so that every report says so."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Build, names and memory of a host, as Win32_OperatingSystem and Win32_ComputerSystem say.

    ``processors``: its logical ones.
    ``broken``: the ways in which it was broken on purpose; a host of a lab never is.
    """

    build: int
    caption: str
    name: str
    manufacturer: str
    model: str
    memory: Bytes
    free_memory: Bytes
    broken: tuple[str, ...] = ()
    processors: int = 1


def release_of(build: int) -> str:
    """Return the release whose rules hold for this build; "older than 2012 R2" below 9600."""
    return next((name for first, name in RELEASES if build >= first), "older than 2012 R2")


def measure_host(session: HostSession) -> Measured[HostFacts]:
    """Ask the host who it is."""
    system = session.run(_instance("Win32_OperatingSystem"))
    computer = session.run(_instance("Win32_ComputerSystem"))
    os, machine = system.one(), computer.one()
    facts = HostFacts(
        build=os.integer("BuildNumber"),
        caption=os.string("Caption").strip(),
        name=machine.string("Name"),
        manufacturer=machine.string("Manufacturer"),
        model=machine.string("Model"),
        memory=os.integer("TotalVisibleMemorySize") * KiB,
        free_memory=os.integer("FreePhysicalMemory") * KiB,
        processors=machine.integer("NumberOfLogicalProcessors"),
        broken=tuple(
            text.removeprefix(BROKEN)
            for text in machine.strings("OEMStringArray")
            if text.startswith(BROKEN)
        ),
    )
    return Measured(facts, (system.evidence, computer.evidence))


def _instance(wmi_class: str) -> Cmdlet:
    return Cmdlet("Get-CimInstance", {"ClassName": wmi_class}, safe_to_repeat=True)
