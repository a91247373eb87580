"""Windows Server Backup: online while a guest can be frozen, offline else, restored for real."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import cast

import pytest

from harness.deadline import wait_for
from harness.standin.values import Record, Value
from tests.standin.hyperv.bench import Bench, Heard

WSB = "Microsoft.Windows.ServerBackup.Commands."
SOON = timedelta(seconds=20)


@pytest.fixture
def ready(bench: Bench) -> Bench:
    (bench.host.files / "E").mkdir()
    bench.vm()
    bench.machines.freezes = True
    return bench


def policy(bench: Bench, volume: str = "E:") -> Record:
    made = bench.call("New-WBPolicy").one
    machines = bench.call("Get-WBVirtualMachine").out
    bench.call("Add-WBVirtualMachine", Policy=made, VirtualMachine=machines)
    target = bench.call("New-WBBackupTarget", VolumePath=volume).one
    bench.call("Add-WBBackupTarget", Policy=made, Target=target)
    bench.call("Set-WBVssBackupOption", Policy=made, VssCopyBackup=True)
    return made


def back_up(bench: Bench) -> Record:
    assert not bench.call("Start-WBBackup", Policy=policy(bench), Force=True).errors
    return cast(Record, bench.call("Get-WBBackupSet").out[-1])


def component(kept: Record) -> Value:
    (application,) = cast(list[Record], kept.properties["Application"])
    (held,) = cast(list[Record], application.properties["Component"])
    assert held.properties["VMName"] == "a"
    return held


def restore(bench: Bench, kept: Record) -> Heard:
    return bench.call(
        "Start-WBHyperVRecovery", BackupSet=kept, VMInBackup=[component(kept)],
        UseAlternateLocation=True, TargetPath="C:\\back", RecreatePath=True, Force=True,
    )  # fmt: skip


def test_a_guest_that_freezes_is_backed_up_while_it_runs_and_comes_back_off(ready: Bench) -> None:
    ready.do("Start-VM")
    kept = back_up(ready)
    assert ready.state() == "Running"
    assert len(ready.machines.frozen) == len(ready.machines.backups) == 1
    job = ready.call("Get-WBJob", Previous=1).one.properties
    assert (job["JobState"], job["HResult"], job["ErrorDescription"]) == ("Completed", 0, "")
    assert not restore(ready, kept).errors
    back = ready.get()
    assert (str(back["State"]), back["Path"]) == ("Off", "C:\\back\\C_\\ProgramData\\Microsoft"
                                                  "\\Windows\\Hyper-V")  # fmt: skip
    assert ready.machines.states == {}
    drive = ready.call("Get-VMHardDiskDrive", VMName=["a"]).one.properties
    assert drive["Path"] == "C:\\back\\C_\\VMs\\a\\a.vhdx"
    assert ready.call("Get-VHD", Path=[str(drive["Path"])]).one.properties["ParentPath"] == ""


@pytest.mark.parametrize("why", ["nobody freezes", "service disabled"])
def test_a_guest_that_cannot_be_frozen_is_saved_meanwhile_and_comes_back_saved(
    ready: Bench, why: str
) -> None:
    ready.do("Start-VM")
    if why == "service disabled":
        ready.call("Disable-VMIntegrationService", VMName=["a"], Name=["VSS"])
    else:
        ready.machines.freezes = False
    kept = back_up(ready)
    assert (ready.state(), ready.machines.resumed) == ("Running", ["memory"])
    assert not restore(ready, kept).errors
    assert ready.state() == "Saved"
    ready.do("Start-VM")
    assert ready.machines.resumed == ["memory", "memory"]


def test_a_backup_in_the_background_is_seen_to_run_and_to_end(ready: Bench) -> None:
    assert str(ready.call("Get-WBSummary").one.properties["CurrentOperationStatus"]) == (
        "NoOperationInProgress"
    )
    assert not ready.call("Start-WBBackup", Policy=policy(ready), Async=True).errors
    over = lambda: ready.call("Get-WBJob", Previous=1).out or None  # noqa: E731
    wait_for("the job's end", over, SOON, every=timedelta(milliseconds=20))
    assert ready.call("Get-WBJob").out == []


def test_two_backups_have_two_names_and_a_removed_one_leaves_no_file(ready: Bench) -> None:
    first, second = back_up(ready), back_up(ready)
    assert first.properties["VersionId"] != second.properties["VersionId"]
    for kept in (first, second):
        assert not ready.call("Remove-WBBackupSet", BackupSet=[kept], Force=True).errors
    assert ready.call("Get-WBBackupSet").out == []
    assert [p for p in (ready.host.files / "E").rglob("*") if p.is_file()] == []
    again = ready.call("Remove-WBBackupSet", BackupSet=[first], Force=True)
    assert again.fqid == f"ObjectNotFound,{WSB}RemoveWBBackupSet"


def test_the_volume_of_the_machine_itself_is_no_target(ready: Bench) -> None:
    heard = ready.call("Start-WBBackup", Policy=policy(ready, "C:"))
    assert heard.fqid == f"OperationFailed,{WSB}StartWBBackup"
    assert ready.call("New-WBBackupTarget", VolumePath="X:").fqid.startswith("InvalidParameter,")


def test_a_policy_without_machine_or_target_backs_nothing_up(ready: Bench) -> None:
    made = ready.call("New-WBPolicy").one
    assert ready.call("Start-WBBackup", Policy=made).fqid.startswith("OperationFailed,")
    machines = ready.call("Get-WBVirtualMachine").out
    ready.call("Add-WBVirtualMachine", Policy=made, VirtualMachine=machines)
    assert ready.call("Start-WBBackup", Policy=made).fqid.startswith("OperationFailed,")


def test_a_backup_without_room_fails_and_leaves_nothing(ready: Bench) -> None:
    os.truncate(ready.host.local("C:\\VMs\\a\\a.vhdx"), 1 << 43)
    heard = ready.call("Start-WBBackup", Policy=policy(ready))
    assert heard.fqid == f"OperationFailed,{WSB}StartWBBackup"
    job = ready.call("Get-WBJob", Previous=1).one.properties
    assert (job["JobState"], job["HResult"] != 0) == ("Failed", True)
    assert ready.call("Get-WBBackupSet").out == []
    assert [p for p in (ready.host.files / "E").rglob("*") if p.is_file()] == []


def test_a_checkpointed_machine_is_backed_up_with_what_its_disks_show_now(ready: Bench) -> None:
    ready.do("Checkpoint-VM", SnapshotName="one")
    kept = back_up(ready)
    assert not restore(ready, kept).errors
    drive = ready.call("Get-VMHardDiskDrive", VMName=["a"]).one.properties
    assert drive["Path"] == "C:\\back\\C_\\VMs\\a\\a.vhdx"
