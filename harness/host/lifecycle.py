"""VMs for cases: made from a template or borrowed; gone, or as they were, when the block ends.

Everything made carries the run's mark: the VM's Notes, the name of its folder, a checkpoint's name.
Nothing without the mark is ever removed.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from harness.chance import CHANCE
from harness.deadline import wait_for
from harness.errors import HarnessError, HostError, HostRefused
from harness.host.command import Cmdlet, Value
from harness.host.session import HostSession
from harness.host.vm import SLOW, Vm
from harness.inventory.model import ExistingVm, Guest, Host, SecureBoot, Template

MARK = "hvcert run="
NAME = re.compile(r"hvcert-(?P<run>\d{8}-\d{6}-[0-9a-f]{6})-[\w.-]+")
COPY_WITHIN = timedelta(minutes=60)
_numbers = itertools.count(1)


def mark_of(run: str) -> str:
    """Return the text that marks what a run makes."""
    return f"{MARK}{run}"


def vm_name(run: str, case: str) -> str:
    """Return a name that no other VM of this run has."""
    name = f"hvcert-{run}-{case.lower()}-{os.getpid()}-{next(_numbers)}"
    return CHANCE.draw("name of a VM", lambda: name)


@contextmanager
def vm_from_template(  # noqa: PLR0913  # host, guest and case are what a VM is made for
    session: HostSession, host: Host, guest: Guest, run: str, case: str, *, full: bool = False
) -> Iterator[Vm]:
    """Make a VM on a differencing disk over the guest's template; remove all of it at the end.

    ``full``: on a disk of its own, a copy of the template (live backup needs that).
    """
    name = vm_name(run, case)
    folder = f"{host.vm_path}\\{name}"
    try:
        yield _make(
            session, host, guest, mark_of(run), _disk(session, host, guest, name, full=full)
        )
    finally:
        remove(session, name, folder)


def _disk(session: HostSession, host: Host, guest: Guest, name: str, *, full: bool) -> str:
    """Make the VM's folder and its disk in it; return the disk's path."""
    assert isinstance(guest.source, Template)  # noqa: S101  # the caller chose by this
    template = guest.source.path
    disk = f"{host.vm_path}\\{name}\\disk.{template.rpartition('.')[2]}"
    _do(session, "New-Item", Path=f"{host.vm_path}\\{name}", ItemType="Directory", Force=True)
    if full:
        copy = Cmdlet("Convert-VHD", {"Path": template, "DestinationPath": disk})
        session.run(copy, within=COPY_WITHIN)
    else:
        _do(session, "New-VHD", Path=disk, ParentPath=template, Differencing=True)
    return disk


def _make(session: HostSession, host: Host, guest: Guest, mark: str, disk: str) -> Vm:
    assert isinstance(guest.source, Template)  # noqa: S101  # the caller chose by this
    folder = disk.rpartition("\\")[0]
    name = folder.rpartition("\\")[2]
    made = session.run(
        Cmdlet(
            "New-VM",
            {
                "Name": name,
                "Path": folder,
                "Generation": guest.source.generation,
                "MemoryStartupBytes": guest.memory,
                "VHDPath": disk,
                "SwitchName": host.switch,
            },
        ),
        within=SLOW,
    ).one()
    _do(session, "Set-VM", Name=name, Notes=mark, ProcessorCount=guest.processors)
    _do(
        session, "Set-VMMemory",
        VMName=name, DynamicMemoryEnabled=False, StartupBytes=guest.memory,
    )  # fmt: skip
    if host.vlan is not None:
        _do(session, "Set-VMNetworkAdapterVlan", VMName=name, Access=True, VlanId=host.vlan)
    if guest.source.generation == 2:
        _secure_boot(session, name, guest.secure_boot)
    return Vm(session, name, made.string("Id"), host.switch)


def _secure_boot(session: HostSession, name: str, wanted: SecureBoot) -> None:
    given: dict[str, Value] = {"EnableSecureBoot": "Off"}
    if wanted is SecureBoot.MICROSOFT_UEFI_CA:
        template = "MicrosoftUEFICertificateAuthority"
        given = {"EnableSecureBoot": "On", "SecureBootTemplate": template}
    session.run(Cmdlet("Set-VMFirmware", {"VMName": name, **given}))


def remove(session: HostSession, name: str, folder: str) -> None:
    """Turn off and remove a VM and its folder; each is tried even if another fails."""
    problems: list[str] = []
    for step in (
        lambda: _turn_off(session, name),
        lambda: _if_there(session, "Remove-VM", Name=name, Force=True),
        lambda: _if_there(session, "Remove-Item", Path=folder, Recurse=True, Force=True),
    ):
        _tried(step, problems)
    if problems:
        raise HostError(
            session.name,
            f"could not remove {name}: {'; '.join(problems)}",
            "the next run on this host removes it; or remove VM and folder by hand",
        )


def _tried(step: Callable[[], None], problems: list[str]) -> None:
    try:
        step()
    except HarnessError as wrong:
        problems.append(str(wrong))


def exists(session: HostSession, name: str) -> bool:
    """Return whether the host has a VM of that name."""
    try:
        session.run(Cmdlet("Get-VM", {"Name": name}, safe_to_repeat=True))
    except HostRefused as refused:
        if refused.record.fqid.startswith("InvalidParameter,"):
            return False
        raise
    return True


def _turn_off(session: HostSession, name: str) -> None:
    if exists(session, name):
        vm = Vm(session, name, "", "")
        if any(found.string("State") not in ("Off", "Saved") for found in vm.look().records()):
            vm.stop(hard=True)


def _if_there(session: HostSession, cmdlet: str, **given: Value) -> None:
    if cmdlet == "Remove-VM":
        there = exists(session, str(given["Name"]))
    else:
        test = Cmdlet("Test-Path", {"Path": given["Path"]}, safe_to_repeat=True)
        there = session.run(test).objects == (True,)
    if there:
        session.run(Cmdlet(cmdlet, given), within=timedelta(minutes=5))


@contextmanager
def existing_vm(
    session: HostSession, host: Host, guest: Guest, run: str, _case: str
) -> Iterator[Vm]:
    """Borrow a VM that is there: checkpoint it, and put it back exactly as it was."""
    assert isinstance(guest.source, ExistingVm)  # noqa: S101  # the caller chose by this
    look = session.run(Cmdlet("Get-VM", {"Name": guest.source.name}, safe_to_repeat=True)).one()
    if look.string("State") != "Off":
        raise HostError(
            session.name,
            f"VM {guest.source.name} is {look.string('State')}, not Off",
            "shut it down: the harness never stops a VM that it did not start",
        )
    vm = Vm(session, guest.source.name, look.string("Id"), host.switch)
    before = disks(vm)
    with ExitStack() as stack:
        stack.callback(_check_disks, vm, before)
        stack.callback(put_back, vm, mark_of(run))
        vm.checkpoint(mark_of(run))
        yield vm


def _check_disks(vm: Vm, before: tuple[tuple[str, str], ...]) -> None:
    after = disks(vm)
    if after != before:
        raise HostError(
            vm.session.name,
            f"the disks of {vm.name} are not those found: before {before}, now {after}",
            "look at the VM's checkpoints before anything else uses it",
        )


def disks(vm: Vm) -> tuple[tuple[str, str], ...]:
    """Return (path, parent) of each disk by Get-VHD, in the VM's order."""
    drives = vm.session.run(Cmdlet("Get-VMHardDiskDrive", {"VMName": vm.name}, safe_to_repeat=True))
    looks = (
        vm.session.run(Cmdlet("Get-VHD", {"Path": drive.string("Path")}, safe_to_repeat=True)).one()
        for drive in drives.records()
    )
    return tuple((look.string("Path").lower(), look.string("ParentPath").lower()) for look in looks)


def put_back(vm: Vm, checkpoint: str) -> None:
    """Apply a checkpoint and remove it; wait until the host has merged its disks."""
    ask = Cmdlet("Get-VMSnapshot", {"VMName": vm.name}, safe_to_repeat=True)
    if checkpoint not in (s.string("Name") for s in vm.session.run(ask).records()):
        return
    if vm.state() not in ("Off", "Saved"):
        vm.stop(hard=True)
    vm.restore(checkpoint)
    vm.remove_checkpoint(checkpoint)
    _wait_for_merge(vm)


def drop_checkpoint(vm: Vm, name: str, path: str) -> None:
    """Turn the VM off, remove its checkpoint, and wait until ``path`` is its disk again."""
    if vm.state() not in ("Off", "Saved"):
        vm.stop(hard=True)
    ask = Cmdlet("Get-VMSnapshot", {"VMName": vm.name}, safe_to_repeat=True)
    if name in (s.string("Name") for s in vm.session.run(ask).records()):
        vm.remove_checkpoint(name)

    def merged() -> bool | None:
        return True if path.lower() in (disk for disk, _ in disks(vm)) else None

    wait_for(f"the merge into {path}", merged, timedelta(minutes=30))


def remove_folder(session: HostSession, folder: str) -> None:
    """Remove a folder that a case made, if it is there."""
    _if_there(session, "Remove-Item", Path=folder, Recurse=True, Force=True)


def _wait_for_merge(vm: Vm) -> None:
    def merged() -> bool | None:
        return None if any(path.endswith((".avhdx", ".avhd")) for path, _ in disks(vm)) else True

    wait_for(f"the merge of the checkpoint of {vm.name}", merged, timedelta(minutes=30))


def _do(session: HostSession, name: str, **given: Value) -> None:
    session.run(Cmdlet(name, given), within=timedelta(minutes=5))
