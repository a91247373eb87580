"""Private switches: a network between VMs of one case that reaches nothing else.

Every Windows release has them. Each carries the run's mark, so that a sweep finds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.host.command import Cmdlet
from harness.host.lifecycle import MARK, NAME, mark_of, vm_name
from harness.host.session import HostObject, HostSession
from harness.host.vm import Vm

NETWORK = "10.99.0"
MAC = "52:54:00:99:00"
"""A locally administered prefix: no adapter of a factory and none of Hyper-V's pool has it."""
MOST_MEMBERS = 16


@dataclass(frozen=True, slots=True)
class Member:
    """A VM's place on a private switch: its adapter's MAC as Linux writes it, and its address."""

    switch: str
    mac: str
    address: str

    @property
    def cidr(self) -> str:
        """Return the address with its prefix: ``10.99.0.1/24``."""
        return f"{self.address}/24"


@contextmanager
def private_switch(session: HostSession, run: str, case: str) -> Iterator[str]:
    """Make a private switch and yield its name; it must be in no VM's use when the block ends."""
    name = vm_name(run, case)
    given = {"Name": name, "SwitchType": "Private", "Notes": mark_of(run)}
    session.run(Cmdlet("New-VMSwitch", given))
    try:
        yield name
    finally:
        remove(session, name)


def join(vm: Vm, switch: str, number: int) -> Member:
    """Give a VM that is off an adapter on the switch; ``number`` (1 to 16) is its own there."""
    if not 1 <= number <= MOST_MEMBERS:
        raise ValueError(f"a private switch has members 1 to {MOST_MEMBERS}, not {number}")
    member = Member(switch, f"{MAC}:{number:02x}", f"{NETWORK}.{number}")
    given = {
        "VMName": vm.name,
        "SwitchName": switch,
        "Name": "hvcert private",
        "StaticMacAddress": member.mac.replace(":", "").upper(),
    }
    vm.session.run(Cmdlet("Add-VMNetworkAdapter", given))
    return member


def ours(session: HostSession) -> list[str]:
    """Return the names of the private switches that runs made: by name, kind and mark."""
    listing = Cmdlet("Get-VMSwitch", {"SwitchType": "Private"}, safe_to_repeat=True)
    return [s.string("Name") for s in session.run(listing).records() if _ours(s)]


def remove(session: HostSession, name: str) -> None:
    """Remove a switch."""
    session.run(Cmdlet("Remove-VMSwitch", {"Name": name, "Force": True}))


def _ours(switch: HostObject) -> bool:
    marked = switch.string("Notes").startswith(MARK)
    return marked and NAME.fullmatch(switch.string("Name")) is not None
