"""Checkpoints: real disk chains, settings that travel with them, and their merge."""

from typing import cast

import pytest

from harness.standin import paths
from harness.standin.machines import MachineError
from harness.standin.store import DiskFacts
from harness.standin.values import Record, Value
from tests.standin.hyperv.bench import Bench
from tests.standin.hyperv.conftest import MakeBench

GIB = 1 << 30
BASE = "C:\\VMs\\a\\a.vhdx"
COMMANDS = "Microsoft.HyperV.PowerShell.Commands."


def disk_of(bench: Bench) -> tuple[str, str]:
    """Return path and parent of the VM's disk as Get-VHD shows them."""
    path = bench.call("Get-VMHardDiskDrive", VMName=["a"]).one.properties["Path"]
    shown = bench.call("Get-VHD", Path=[str(path)]).one.properties
    return str(shown["Path"]), str(shown["ParentPath"])


def take(bench: Bench, name: str) -> Record:
    return bench.do("Checkpoint-VM", SnapshotName=name, Passthru=True).one


def gap(bench: Bench) -> int:
    return cast(int, bench.get()["LowMemoryMappedIoSpace"])


def files(bench: Bench) -> list[str]:
    return sorted(p.name for p in (bench.host.files / "C/VMs/a").glob("*"))


def test_a_checkpoint_puts_a_differencing_disk_over_the_vms(bench: Bench) -> None:
    bench.vm()
    take(bench, "one")
    path, parent = disk_of(bench)
    assert (path.startswith("C:\\VMs\\a\\a_"), path.endswith(".avhdx"), parent) == (
        True, True, BASE,
    )  # fmt: skip


def test_removing_it_restores_path_and_parent(bench: Bench) -> None:
    bench.vm()
    bench.call("New-VHD", Path=["C:\\VMs\\a\\child.vhdx"], ParentPath=BASE, Differencing=True)
    bench.call(
        "Set-VMHardDiskDrive", VMName="a", ControllerType="IDE", ControllerNumber=0,
        ControllerLocation=0, Path="C:\\VMs\\a\\child.vhdx",
    )  # fmt: skip
    before = disk_of(bench)
    for name in ("one", "two", "three"):
        take(bench, name)
    assert disk_of(bench) != before
    heard = bench.call("Remove-VMSnapshot", VMName=["a"])
    assert heard.errors == []
    assert disk_of(bench) == before == ("C:\\VMs\\a\\child.vhdx", BASE)
    assert files(bench) == ["a.vhdx", "child.vhdx"]


def test_applying_goes_back_to_the_gap_and_the_disk_of_the_checkpoint(bench: Bench) -> None:
    bench.vm()
    bench.do("Set-VM", LowMemoryMappedIoSpace=GIB)
    snapshot = take(bench, "one")
    assert snapshot.properties["LowMemoryMappedIoSpace"] == GIB
    bench.do("Set-VM", LowMemoryMappedIoSpace=2 * GIB)
    lost, _ = disk_of(bench)
    assert bench.call("Restore-VMSnapshot", VMName="a", Name="one").errors == []
    assert (gap(bench), bench.state()) == (GIB, "Off")
    path, parent = disk_of(bench)
    assert (path != lost, parent, bench.host.is_file(lost)) == (True, BASE, False)


def test_the_checkpoints_of_a_running_vm_hold_its_memory(bench: Bench) -> None:
    bench.vm()
    bench.do("Start-VM")
    snapshot = take(bench, "hot")
    assert (str(snapshot.properties["State"]), bench.state()) == ("Saved", "Running")
    bench.call("Restore-VMSnapshot", VMSnapshot=snapshot)
    assert bench.state() == "Saved"
    bench.do("Start-VM")
    assert bench.machines.resumed == ["checkpoint"]


def test_a_checkpoint_that_is_removed_below_a_running_vm_is_merged_by_its_machine(
    bench: Bench,
) -> None:
    bench.vm()
    bench.do("Start-VM")
    take(bench, "first")
    first = disk_of(bench)[0]
    take(bench, "second")
    assert bench.call("Remove-VMSnapshot", VMName=["a"], Name=["first"]).errors == []
    top, below = disk_of(bench)
    assert (below, bench.machines.merged) == (BASE, [(paths.parts(first)[-1], "a.vhdx")])
    assert bench.call("Remove-VMSnapshot", VMName=["a"], Name=["second"]).errors == []
    assert bench.call("Get-VMSnapshot", VMName=["a"]).out == []
    assert bench.machines.merged[1:] == [(paths.parts(top)[-1], "a.vhdx")]
    assert (disk_of(bench), files(bench)) == ((BASE, ""), ["a.vhdx"])


def test_a_merge_that_a_machine_refused_is_made_up_for_when_it_ends(bench: Bench) -> None:
    bench.vm()
    bench.do("Start-VM")
    take(bench, "hot")
    bench.machines.broken = "no space"
    heard = bench.call("Remove-VMSnapshot", VMName=["a"], Name=["hot"])
    assert heard.fqid == f"OperationFailed,{COMMANDS}RemoveVMSnapshot"
    assert disk_of(bench)[1] == BASE
    bench.machines.states.clear()
    assert bench.state() == "Off"
    assert disk_of(bench) == (BASE, "")


def test_a_branch_that_no_machine_has_open_is_merged_beside_it(bench: Bench) -> None:
    bench.vm()
    for one in ("root", "left", "deep"):
        take(bench, one)
    bench.call("Restore-VMSnapshot", VMName="a", Name="root")
    bench.do("Start-VM")
    assert bench.call("Remove-VMSnapshot", VMName=["a"], Name=["left"]).errors == []
    assert bench.machines.merged == []
    bench.do("Stop-VM")
    assert bench.call("Restore-VMSnapshot", VMName="a", Name="deep").errors == []
    bench.call("Remove-VMSnapshot", VMName=["a"])
    assert (disk_of(bench), files(bench)) == ((BASE, ""), ["a.vhdx"])


def test_a_tree_keeps_what_it_needs(bench: Bench) -> None:
    bench.vm()
    take(bench, "root")
    take(bench, "left")
    bench.call("Restore-VMSnapshot", VMName="a", Name="root")
    take(bench, "right")
    parents = {
        cast(Record, s).properties["Name"]: cast(Record, s).properties["ParentSnapshotName"]
        for s in bench.call("Get-VMSnapshot", VMName=["a"]).out
    }
    assert parents == {"root": "", "left": "root", "right": "root"}
    bench.call("Remove-VMSnapshot", VMName=["a"], Name=["root"])
    assert bench.call("Restore-VMSnapshot", VMName="a", Name="left").errors == []
    assert bench.call("Restore-VMSnapshot", VMName="a", Name="right").errors == []
    assert bench.call("Remove-VMSnapshot", VMName=["a"], Name=["left"]).errors == []
    assert bench.call("Remove-VMSnapshot", VMName=["a"], Name=["right"]).errors == []
    assert disk_of(bench) == (BASE, "")
    assert files(bench) == ["a.vhdx"]


def test_a_subtree_is_removed_with_its_root(bench: Bench) -> None:
    bench.vm()
    for name in ("one", "two", "three"):
        take(bench, name)
    bench.call("Remove-VMSnapshot", VMName=["a"], Name=["two"], IncludeAllChildSnapshots=True)
    (left,) = bench.call("Get-VMSnapshot", VMName=["a"]).out
    assert cast(Record, left).properties["Name"] == "one"


def test_a_saved_vm_can_be_checkpointed_and_comes_back_saved(bench: Bench) -> None:
    bench.vm()
    bench.do("Start-VM")
    bench.do("Save-VM")
    take(bench, "cold")
    bench.do("Start-VM")
    bench.do("Stop-VM")
    bench.call("Restore-VMSnapshot", VMName="a", Name="cold")
    assert bench.state() == "Saved"
    bench.do("Start-VM")
    assert bench.machines.resumed == ["memory", "memory"]


def test_a_checkpoint_that_fails_leaves_nothing(bench: Bench) -> None:
    bench.vm()
    bench.do("Start-VM")
    bench.machines.broken = "no space"
    heard = bench.call("Checkpoint-VM", Name=["a"])
    assert heard.fqid == f"OperationFailed,{COMMANDS}CheckpointVM"
    assert bench.call("Get-VMSnapshot", VMName=["a"]).out == []
    assert files(bench) == ["a.vhdx"]
    assert disk_of(bench) == (BASE, "")


def test_a_merge_that_fails_is_told_and_made_up_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.vm()
    take(bench, "one")
    with monkeypatch.context() as patched:
        patched.setattr(type(bench.host.disks), "commit", _fails)
        heard = bench.call("Remove-VMSnapshot", VMName=["a"])
    assert heard.fqid == f"OperationFailed,{COMMANDS}RemoveVMSnapshot"
    bench.do("Start-VM")
    bench.do("Stop-VM")
    assert disk_of(bench) == (BASE, "")


def _fails(*_: object) -> DiskFacts:
    raise MachineError("disk full")


@pytest.mark.parametrize("kind", ["Disabled", "ProductionOnly"])
def test_checkpoints_that_the_type_forbids_are_refused(bench: Bench, kind: str) -> None:
    bench.vm()
    bench.do("Start-VM")
    bench.do("Set-VM", CheckpointType=kind)
    assert bench.call("Checkpoint-VM", Name=["a"]).fqid.startswith("OperationFailed,")


def test_a_production_checkpoint_freezes_the_guest_and_holds_no_memory(bench: Bench) -> None:
    bench.machines.freezes = True
    bench.vm()
    bench.do("Set-VM", CheckpointType="ProductionOnly")
    bench.do("Start-VM")
    taken = take(bench, "live")
    assert (str(taken.properties["State"]), bench.state()) == ("Off", "Running")
    assert bench.machines.frozen == [bench.get()["Id"]]
    assert disk_of(bench)[1] == BASE


def test_production_only_fails_where_nothing_freezes_and_leaves_no_trace(bench: Bench) -> None:
    bench.vm()
    bench.do("Set-VM", CheckpointType="ProductionOnly")
    bench.do("Start-VM")
    assert bench.call("Checkpoint-VM", Name=["a"]).fqid == f"OperationFailed,{COMMANDS}CheckpointVM"
    assert bench.call("Get-VMSnapshot", VMName=["a"]).out == []
    assert disk_of(bench) == (BASE, "")


def test_production_falls_back_to_a_checkpoint_with_memory(bench: Bench) -> None:
    bench.vm()
    bench.do("Start-VM")
    assert str(take(bench, "hot").properties["State"]) == "Saved"
    assert [e.id for e in bench.host.world.events if "standard" in e.text] == [18590]


def test_a_disabled_backup_service_freezes_nothing(bench: Bench) -> None:
    bench.machines.freezes = True
    bench.vm()
    bench.do("Set-VM", CheckpointType="ProductionOnly")
    bench.do("Start-VM")
    assert not bench.call("Disable-VMIntegrationService", VMName=["a"], Name=["VSS"]).errors
    assert bench.call("Checkpoint-VM", Name=["a"]).fqid.startswith("OperationFailed,")
    assert bench.machines.frozen == []


def test_an_export_is_a_disk_of_its_own_and_is_not_written_over(bench: Bench) -> None:
    bench.vm()
    take(bench, "one")
    wanted: dict[str, Value] = {"VMName": "a", "Name": ["one"], "Path": "C:\\out"}
    assert not bench.call("Export-VMSnapshot", wanted).errors
    copy = bench.call("Get-VHD", Path=["C:\\out\\a\\Virtual Hard Disks\\a.vhdx"]).one.properties
    assert (copy["ParentPath"], copy["Size"]) == ("", 8 << 20)
    again = bench.call("Export-VMSnapshot", wanted)
    assert again.fqid == f"OperationFailed,{COMMANDS}ExportVMSnapshot"


def test_2012_r2_has_one_type_of_checkpoint(make_bench: MakeBench) -> None:
    bench = make_bench("2012r2")
    bench.vm()
    bench.do("Start-VM")
    assert "CheckpointType" not in bench.get()
    assert str(take(bench, "hot").properties["State"]) == "Saved"


def test_an_unknown_checkpoint_is_an_error(bench: Bench) -> None:
    bench.vm()
    heard = bench.call("Restore-VMSnapshot", VMName="a", Name="nothing")
    assert heard.fqid == f"InvalidParameter,{COMMANDS}RestoreVMSnapshot"


def test_removing_a_vm_merges_its_checkpoints_first(bench: Bench) -> None:
    bench.vm()
    take(bench, "one")
    bench.do("Remove-VM", Force=True)
    assert files(bench) == ["a.vhdx"]


def test_parts_of_a_checkpoint_are_read_from_it(bench: Bench) -> None:
    bench.vm()
    snapshot = take(bench, "one")
    bench.call("Set-VMMemory", VMName=["a"], StartupBytes=GIB)
    memory = bench.call("Get-VMMemory", VMSnapshot=snapshot).one.properties
    assert (memory["Startup"], memory["VMSnapshotName"]) == (512 << 20, "one")
    disk = bench.call("Get-VMHardDiskDrive", VMSnapshot=snapshot).one.properties
    assert disk["Path"] == BASE
