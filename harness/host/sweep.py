"""Removes what marked runs left on a host; called with the lease held, so their runs are over."""

from __future__ import annotations

from harness.errors import HarnessError, HostError
from harness.host import private
from harness.host.command import Cmdlet
from harness.host.lifecycle import MARK, NAME, exists, put_back, remove
from harness.host.server_backup import forget_backups, release_turn
from harness.host.session import HostObject, HostSession
from harness.host.vm import Vm
from harness.inventory.model import ExistingVm, Host, Inventory


def sweep(session: HostSession, host: Host, inventory: Inventory) -> tuple[str, ...]:
    """Remove marked VMs, folders under ``vm_path`` and switches; put borrowed VMs back.

    Returns their names. Raises one HostError for all that could not be removed, after everything
    was tried.
    """
    done: list[str] = []
    problems: list[str] = []
    for name in sorted({*_vms(session, host), *_folders(session, host)}):
        try:
            forget_backups(session, name, f"{host.vm_path}\\{name}")
            remove(session, name, f"{host.vm_path}\\{name}")
            done.append(name)
        except HarnessError as wrong:
            problems.append(str(wrong))
    release_turn(session, host)
    for guest in inventory.guests:
        if isinstance(guest.source, ExistingVm) and host.name in guest.hosts:
            done += _put_back(session, guest.source.name, guest.name)
    for switch in private.ours(session):
        try:
            private.remove(session, switch)
            done.append(switch)
        except HarnessError as wrong:
            problems.append(str(wrong))
    if problems:
        raise HostError(session.name, "; ".join(problems))
    return tuple(done)


def _vms(session: HostSession, host: Host) -> list[str]:
    answer = session.run(Cmdlet("Get-VM", safe_to_repeat=True))
    home = host.vm_path.lower()
    return [
        vm.string("Name")
        for vm in answer.records()
        if vm.string("Path").lower().startswith(home) and _ours(vm)
    ]


def _ours(vm: HostObject) -> bool:
    """Return whether a run made it: by its name, and by its mark (set after the VM is made)."""
    marked = not vm.string("Notes") or vm.string("Notes").startswith(MARK)
    return marked and NAME.fullmatch(vm.string("Name")) is not None


def _folders(session: HostSession, host: Host) -> list[str]:
    listing = Cmdlet("Get-ChildItem", {"Path": host.vm_path}, safe_to_repeat=True)
    names = (entry.string("Name") for entry in session.run(listing).records())
    return [name for name in names if NAME.fullmatch(name)]


def _put_back(session: HostSession, name: str, guest: str) -> list[str]:
    if not exists(session, name):
        raise HostError(
            session.name,
            f"there is no VM named {name}",
            f"correct vm of guest {guest} in the inventory, or leave this host out of its hosts",
        )
    ask = Cmdlet("Get-VMSnapshot", {"VMName": name}, safe_to_repeat=True)
    marked = [s.string("Name") for s in session.run(ask).records()]
    ours = [checkpoint for checkpoint in marked if checkpoint.startswith(MARK)]
    for checkpoint in ours:
        put_back(Vm(session, name, "", ""), checkpoint)
    return [f"{name}: {checkpoint}" for checkpoint in ours]
