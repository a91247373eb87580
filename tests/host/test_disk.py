"""Data disks: made, attached, resized or refused, and gone afterwards."""

from __future__ import annotations

import pytest

from harness.errors import EvidenceError, HostRefused
from harness.host.disk import DataDisk, add_fixed, attempt_resize, discard, look
from harness.host.session import RefusedBy
from harness.host.vm import Vm
from harness.units import GiB, MiB
from tests.host.answering import AnsweringHost, Reply, refuse, thing

PATH = r"C:\hvcert\vms\a\data.vhdx"
BINDING = "System.Management.Automation.ParameterBindingException"


def host(**replies: Reply) -> AnsweringHost:
    drive = thing(Path=PATH.upper(), ControllerNumber=0, ControllerLocation=3)
    table: dict[str, Reply] = {
        "Get-VMHardDiskDrive": lambda _: (drive,),
        "Get-VM": lambda _: (thing(State="Running"),),
        "Test-Path": lambda _: (True,),
    }
    return AnsweringHost(table | {name.replace("_", "-"): r for name, r in replies.items()})


def disk(session: AnsweringHost) -> DataDisk:
    return DataDisk(Vm(session, "a", "", ""), PATH, "SCSI", 0, 3)


def test_a_disk_is_fixed_and_known_by_its_place() -> None:
    session = host()
    made = add_fixed(Vm(session, "a", "", ""), PATH, 1 * GiB)
    assert (made.controller, made.number, made.location) == ("SCSI", 0, 3)
    assert any("New-VHD" in call and "Fixed" in call for call in session.asked)


def test_a_disk_that_the_host_did_not_attach_is_an_error() -> None:
    with pytest.raises(EvidenceError):
        add_fixed(Vm(host(Get_VMHardDiskDrive=lambda _: ()), "a", "", ""), PATH, 1 * GiB)


def test_an_empty_minimum_stays_unknown() -> None:
    row = thing(Size=GiB.count, MinimumSize=None, VhdType="Fixed")
    assert look(host(Get_VHD=lambda _: (row,)), PATH).value.minimum is None
    row = thing(Size=GiB.count, MinimumSize=(64 * MiB).count, VhdType="Fixed")
    assert look(host(Get_VHD=lambda _: (row,)), PATH).value.minimum == 64 * MiB


@pytest.mark.parametrize(
    "fqid",
    [
        "NotSupported,Microsoft.Vhd.PowerShell.Cmdlets.ResizeVhd",
        "OperationFailed,Microsoft.Vhd.PowerShell.Cmdlets.ResizeVHD",
        "NotSupported,Microsoft.Vhd.PowerShell.ResizeVhdCommand",
    ],
)
def test_the_cmdlets_own_no_is_an_answer_on_every_release(fqid: str) -> None:
    tried = attempt_resize(host(Resize_VHD=refuse(fqid)), PATH, 2 * GiB)
    assert tried.refusal is not None
    assert (tried.refusal.by, tried.refusal.code) == (RefusedBy.CMDLET, fqid)
    bound = attempt_resize(host(Resize_VHD=refuse(fqid, BINDING)), PATH, 2 * GiB)
    assert bound.refusal is not None
    assert bound.refusal.by is RefusedBy.BINDING


@pytest.mark.parametrize(
    "fqid",
    [
        "CommandNotFoundException",
        "NotSupported,Microsoft.Vhd.PowerShell.Cmdlets.GetVHD",
        "AccessDenied,Microsoft.HyperV.PowerShell.Commands.ResizeVhd",
    ],
)
def test_any_other_trouble_is_raised(fqid: str) -> None:
    with pytest.raises(HostRefused):
        attempt_resize(host(Resize_VHD=refuse(fqid)), PATH, 2 * GiB)


def test_a_disk_that_test_vhd_rejects_is_not_good() -> None:
    no = refuse("OperationFailed,Microsoft.Vhd.PowerShell.Cmdlets.TestVHD")
    assert disk(host(Test_VHD=no)).good().value is False
    assert disk(host(Test_VHD=lambda _: (True,))).good().value is True
    assert disk(host(Test_VHD=lambda _: (False,))).good().value is False
    with pytest.raises(HostRefused):
        disk(host(Test_VHD=refuse("CommandNotFoundException"))).good()


def test_a_disk_is_taken_from_a_vm_that_is_off_and_its_file_is_removed() -> None:
    session = host()
    discard(disk(session))
    done = [c.split()[0] for c in session.asked if c.startswith(("Stop-", "Remove-"))]
    assert done == ["Stop-VM", "Remove-VMHardDiskDrive", "Remove-Item"]


def test_a_disk_that_is_gone_needs_no_removal() -> None:
    session = host(
        Get_VM=lambda _: (thing(State="Off"),),
        Get_VMHardDiskDrive=lambda _: (),
        Test_Path=lambda _: (False,),
    )
    discard(disk(session))
    assert [c for c in session.asked if c.startswith(("Stop-", "Remove-"))] == []
