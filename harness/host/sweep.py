"""Removes what runs left on a host that are over: they have no lease, or one that is dead."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from harness.errors import HarnessError, HostError
from harness.host import lease, private
from harness.host.command import Cmdlet
from harness.host.lifecycle import MARK, NAME, exists, put_back, remove
from harness.host.server_backup import forget_backups, release_turn
from harness.host.session import HostObject, HostSession
from harness.host.turns import forget_dead
from harness.host.vm import Vm
from harness.inventory.model import ExistingVm, Host, Inventory


def sweep(
    session: HostSession, host: Host, inventory: Inventory, *, run: str = ""
) -> tuple[str, ...]:
    """Remove VMs, folders under ``vm_path`` and switches of runs that are over, and of ``run``.

    Borrowed VMs are put back. What belongs to a run that lives is left alone. Returns the names.
    Raises one HostError for all that could not be removed, after everything was tried.
    """
    living = lease.alive(session, host) - {run}
    swept = _Swept()
    for name in leftovers(session, host, living):
        swept.tried(name, partial(_remove, session, host, name))
    if not living:
        release_turn(session, host)
    for guest in inventory.guests:
        if isinstance(guest.source, ExistingVm) and host.name in guest.hosts:
            swept.done += _put_back(session, guest.source.name, guest.name, living)
    over = (switch for switch in private.ours(session) if run_of(switch) not in living)
    for switch in over:
        swept.tried(switch, partial(private.remove, session, switch))
    swept.done += _leases(session, host, living | {run})
    if swept.problems:
        raise HostError(session.name, "; ".join(swept.problems))
    return tuple(swept.done)


def _leases(session: HostSession, host: Host, kept: frozenset[str]) -> list[str]:
    """Remove the leases of runs that are over."""
    runs = [held.lease.run for held in lease.leases(session, host)]
    over = [run for run in runs if run not in kept]
    for run in over:
        lease.forget(session, host, run)
    forget_dead(session, host, kept)
    lease.forget_clocks(session, host)
    return [f"lease of {run}" for run in over]


class _Swept:
    """What was removed, and what could not be."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.problems: list[str] = []

    def tried(self, name: str, remove: Callable[[], None]) -> None:
        """Remove one thing; the next is tried whatever happens."""
        try:
            remove()
            self.done.append(name)
        except HarnessError as wrong:
            self.problems.append(str(wrong))


def _remove(session: HostSession, host: Host, name: str) -> None:
    folder = f"{host.vm_path}\\{name}"
    forget_backups(session, name, folder)
    remove(session, name, folder)


def leftovers(session: HostSession, host: Host, living: frozenset[str]) -> list[str]:
    """Return the names of marked VMs and folders whose runs are not among the living."""
    marked = {*_vms(session, host), *_folders(session, host)}
    return sorted(name for name in marked if run_of(name) not in living)


def run_of(name: str) -> str:
    """Return the run that made what has this name, "" when it was none of ours."""
    found = NAME.fullmatch(name)
    return found["run"] if found else ""


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
    return [name for name in lease.names(session, host) if NAME.fullmatch(name)]


def _put_back(session: HostSession, name: str, guest: str, living: frozenset[str]) -> list[str]:
    if not exists(session, name):
        raise HostError(
            session.name,
            f"there is no VM named {name}",
            f"correct vm of guest {guest} in the inventory, or leave this host out of its hosts",
        )
    ask = Cmdlet("Get-VMSnapshot", {"VMName": name}, safe_to_repeat=True)
    marked = [s.string("Name") for s in session.run(ask).records()]
    over = (checkpoint for checkpoint in marked if checkpoint.startswith(MARK))
    ours = [checkpoint for checkpoint in over if checkpoint.removeprefix(MARK) not in living]
    for checkpoint in ours:
        put_back(Vm(session, name, "", ""), checkpoint)
    return [f"{name}: {checkpoint}" for checkpoint in ours]
