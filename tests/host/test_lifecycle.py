"""What a run makes is removed, whatever happened; what it did not make is never touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import HostError, HostRefused
from harness.host import private
from harness.host.command import Value
from harness.host.lifecycle import existing_vm, mark_of, remove, vm_from_template
from harness.host.session import HostValue
from harness.host.sweep import sweep
from harness.host.vm import Vm
from harness.inventory.load import load
from harness.inventory.model import ExistingVm
from tests.host.answering import AnsweringHost, Reply, refuse, thing

INVENTORY = load(Path(__file__).parents[2] / "inventories" / "embedded.yaml")
HOST, GUEST = INVENTORY.hosts[0], INVENTORY.guests[0]
RUN = "20261123-101500-3fa9c1"
BORROWED = replace(GUEST, source=ExistingVm("lab-vm"))
OURS = f"hvcert-{RUN}-nmi-01-1-1"


def answer(*objects: HostValue) -> Reply:
    return lambda _given: objects


def vm(name: str, path: str = HOST.vm_path, notes: str = mark_of(RUN)) -> HostValue:
    return thing(Name=name, Path=f"{path}\\{name}", Notes=notes, State="Running", Id="guid")


def host(**replies: Reply) -> AnsweringHost:
    table: dict[str, Reply] = {"Get-VM": answer(vm(OURS)), "Test-Path": answer(True)}  # noqa: FBT003  # what the host says
    table["New-VM"] = answer(thing(Id="guid"))
    return AnsweringHost(table | {name.replace("_", "-"): r for name, r in replies.items()})


def removed(asked: list[str]) -> list[str]:
    return [call.split()[0] for call in asked if call.startswith(("Stop-", "Remove-"))]


def test_a_vm_from_a_template_is_removed_with_its_folder() -> None:
    session = host()
    with vm_from_template(session, HOST, GUEST, RUN, "NMI-01"):
        pass
    assert removed(session.asked) == ["Stop-VM", "Remove-VM", "Remove-Item"]


@pytest.mark.parametrize("step", ["New-VHD", "New-VM", "Set-VM", "Set-VMMemory"])
def test_a_vm_that_could_be_made_by_half_is_removed_too(step: str) -> None:
    session = host()
    session.replies[step] = refuse("OperationFailed,x")
    with pytest.raises(HostRefused), vm_from_template(session, HOST, GUEST, RUN, "NMI-01"):
        pass
    assert "Remove-Item" in removed(session.asked)


def test_an_interrupted_case_leaves_nothing() -> None:
    session = host()
    with pytest.raises(KeyboardInterrupt), vm_from_template(session, HOST, GUEST, RUN, "NMI-01"):
        raise KeyboardInterrupt
    assert removed(session.asked) == ["Stop-VM", "Remove-VM", "Remove-Item"]


def test_removal_goes_on_after_a_step_that_fails_and_says_what_failed() -> None:
    session = host(Stop_VM=refuse("InvalidState,x"), Remove_VM=refuse("InvalidState,y"))
    with pytest.raises(HostError, match="could not remove") as caught:
        remove(session, OURS, f"{HOST.vm_path}\\{OURS}")
    assert "Remove-Item" in removed(session.asked)
    assert "Stop-VM" in str(caught.value) or "InvalidState,x" in str(caught.value)


def test_an_existing_vm_that_is_not_there_is_named_before_any_case_runs() -> None:
    session = host()
    session.replies["Get-VM"] = lambda given: (
        refuse("InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM")(given)
        if "Name" in given
        else ()
    )
    with pytest.raises(HostError, match=r"no VM named lab-vm; correct vm of guest debian-12"):
        sweep(session, HOST, replace(INVENTORY, guests=(BORROWED,)))


def test_the_sweep_removes_marked_vms_and_folders_under_its_own_path_alone() -> None:
    others = (
        vm("somebodys"),
        vm(OURS.replace("-1-1", "-1-2"), path="D:\\elsewhere"),
        vm(OURS.replace("-1-1", "-1-3"), notes="mine, keep it"),
    )

    def look(given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        return (vm(OURS),) if "Name" in given else (vm(OURS), *others)

    folders = answer(thing(Name="templates"), thing(Name=f"hvcert-{RUN}-mmio-01-1-9"))
    session = host(Get_VM=look, Get_ChildItem=folders)
    assert sweep(session, HOST, INVENTORY) == (f"hvcert-{RUN}-mmio-01-1-9", OURS)


def test_the_sweep_removes_private_switches_with_name_and_mark_alone() -> None:
    switches = (
        thing(Name=OURS, Notes=mark_of(RUN)),
        thing(Name=OURS.replace("-1-1", "-1-2"), Notes="mine"),
        thing(Name="LabSwitch", Notes=mark_of(RUN)),
    )
    session = host(Get_VM=answer(), Get_VMSwitch=answer(*switches))
    assert sweep(session, HOST, INVENTORY) == (OURS,)
    assert [call for call in session.asked if call.startswith("Remove-VMSwitch")] == [
        f"Remove-VMSwitch -Name '{OURS}' -Force:$true"
    ]


def test_a_vm_joins_a_private_switch_with_an_adapter_of_its_own_mac() -> None:
    session = host()
    with private.private_switch(session, RUN, "KD-02") as switch:
        member = private.join(Vm(session, "a", "guid", "LabSwitch"), switch, 2)
    assert (member.mac, member.cidr) == ("52:54:00:99:00:02", "10.99.0.2/24")
    made, joined, removed_last = session.asked
    assert f"-SwitchType 'Private' -Notes '{mark_of(RUN)}'" in made
    assert f"-SwitchName '{switch}'" in joined
    assert "-StaticMacAddress '525400990002'" in joined
    assert removed_last.startswith(f"Remove-VMSwitch -Name '{switch}'")


def test_an_existing_vm_that_is_not_off_is_not_touched() -> None:
    session = host()
    borrowed = existing_vm(session, HOST, BORROWED, RUN, "NMI-01")
    with pytest.raises(HostError, match="not Off"), borrowed:
        pass
    assert [call.split()[0] for call in session.asked] == ["Get-VM"]


def test_an_existing_vm_whose_disks_changed_is_an_error() -> None:
    looks = iter(("C:\\a.vhdx", "C:\\b.vhdx"))
    session = host(
        Get_VM=answer(thing(State="Off", Id="guid", Name="lab-vm")),
        Get_VMHardDiskDrive=answer(thing(Path="C:\\a.vhdx")),
        Get_VHD=lambda _: (thing(Path=next(looks), ParentPath=""),),
    )
    borrowed = existing_vm(session, HOST, BORROWED, RUN, "NMI-01")
    with pytest.raises(HostError, match="not those found"), borrowed:
        pass
