"""VMs as the cmdlets make, show, change and remove them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from harness.standin.api import Terminated
from harness.standin.values import Record
from tests.standin.hyperv.bench import Bench
from tests.standin.hyperv.conftest import MakeBench

MIB = 1 << 20
COMMANDS = "Microsoft.HyperV.PowerShell.Commands."


def test_a_missing_name_is_the_error_of_get_vm_and_the_others_are_still_shown(bench: Bench) -> None:
    bench.vm("a")
    heard = bench.call("Get-VM", Name=["nobody", "a"])
    (error,) = heard.errors
    assert error.fqid == f"InvalidParameter,{COMMANDS}GetVM"
    assert error.category == "InvalidArgument"
    assert error.exception_types[0] == "Microsoft.HyperV.PowerShell.VirtualizationException"
    assert (error.target_name, error.activity) == ("nobody", "Get-VM")
    assert len(heard.out) == 1


def test_2012_r2_names_its_cmdlet_classes_and_exceptions_differently(make_bench: MakeBench) -> None:
    (error,) = make_bench("2012r2").call("Get-VM", Name=["nobody"]).errors
    assert error.fqid == f"InvalidParameter,{COMMANDS}GetVMCommand"
    assert error.reason == "VirtualizationInvalidArgumentException"


def test_a_vm_named_with_quote_and_percent_is_found_by_that_name_only(bench: Bench) -> None:
    bench.vm("o'neil%")
    bench.vm("o'neil")
    assert bench.get("o'neil%")["Name"] == "o'neil%"
    assert bench.get("o'neil")["Name"] == "o'neil"


@pytest.mark.parametrize(("pattern", "found"), [("w*", 2), ("W?b1", 1), ("*[12]", 2), ("x*", 0)])
def test_wildcards_find_what_fits_and_nothing_found_is_no_error(
    bench: Bench, pattern: str, found: int
) -> None:
    bench.vm("web1")
    bench.vm("web2")
    heard = bench.call("Get-VM", Name=[pattern])
    assert (len(heard.out), heard.errors) == (found, [])


def test_get_vm_without_a_name_shows_all_and_by_id_the_one(bench: Bench) -> None:
    a = bench.vm("a")
    bench.vm("b")
    assert len(bench.call("Get-VM").out) == 2
    assert bench.call("Get-VM", Id=a.properties["Id"]).one.properties["Name"] == "a"
    assert bench.call("Get-VM", Id=uuid4()).fqid == f"ObjectNotFound,{COMMANDS}GetVM"


def test_generation_2_is_refused_and_leaves_nothing(bench: Bench) -> None:
    heard = bench.call("New-VM", Name="g2", Generation=2)
    assert heard.fqid == f"NotSupported,{COMMANDS}NewVM"
    assert bench.call("Get-VM").out == []


def test_a_new_vm_has_what_hyper_v_gives_a_generation_1_vm(bench: Bench) -> None:
    vm = bench.vm().properties
    assert (vm["Generation"], str(vm["State"])) == (1, "Off")
    assert vm["LowMemoryMappedIoSpace"] == 128 * MIB
    assert len(bench.call("Get-VMIdeController", VMName=["a"]).out) == 2
    assert len(bench.call("Get-VMScsiController", VMName=["a"]).out) == 1
    assert len(bench.call("Get-VMDvdDrive", VMName=["a"]).out) == 1
    disk = bench.call("Get-VMHardDiskDrive", VMName=["a"]).one.properties
    assert (str(disk["ControllerType"]), disk["ControllerNumber"], disk["ControllerLocation"]) == (
        "IDE", 0, 0,
    )  # fmt: skip


@pytest.mark.parametrize("path", ["..\\x.vhdx", "C:\\..\\..\\x.vhdx", "\\\\srv\\s\\x.vhdx", "x"])
def test_paths_that_leave_the_hosts_drives_are_refused(bench: Bench, path: str) -> None:
    assert bench.call("New-VM", Name="a", VHDPath=path).fqid == f"InvalidParameter,{COMMANDS}NewVM"


def test_paths_do_not_regard_case(bench: Bench) -> None:
    bench.vm()
    assert bench.host.local("c:\\vms\\A\\A.VHDX") == bench.host.files / "C/VMs/a/a.vhdx"


@pytest.mark.parametrize("mib", [128, 1024, 3584])
def test_gaps_in_the_documented_range_are_taken(bench: Bench, mib: int) -> None:
    bench.vm()
    bench.do("Set-VM", LowMemoryMappedIoSpace=mib * MIB)
    assert bench.get()["LowMemoryMappedIoSpace"] == mib * MIB


@pytest.mark.parametrize("mib", [64, 126, 3586, 4096])
def test_gaps_outside_the_range_are_refused_and_the_old_one_stays(bench: Bench, mib: int) -> None:
    bench.vm()
    bench.do("Set-VM", LowMemoryMappedIoSpace=1024 * MIB)
    heard = bench.call("Set-VM", Name=["a"], LowMemoryMappedIoSpace=mib * MIB, Notes="no")
    assert heard.fqid == f"InvalidParameter,{COMMANDS}SetVM"
    assert bench.get()["LowMemoryMappedIoSpace"] == 1024 * MIB
    assert bench.get()["Notes"] == ""


def test_a_gap_is_rounded_to_2_mib(bench: Bench) -> None:
    bench.vm()
    bench.do("Set-VM", LowMemoryMappedIoSpace=129 * MIB)
    assert bench.get()["LowMemoryMappedIoSpace"] == 128 * MIB


@pytest.mark.parametrize(
    "change",
    [
        {"LowMemoryMappedIoSpace": 1024 * MIB},
        {"ProcessorCount": 2},
        {"MemoryStartupBytes": 1024 * MIB},
    ],
)
@pytest.mark.parametrize("also", ["", "Save-VM", "Suspend-VM"])
def test_hardware_is_not_changed_while_the_vm_is_not_off(
    bench: Bench, change: dict[str, Any], also: str
) -> None:
    bench.vm()
    bench.do("Start-VM")
    if also:
        bench.do(also)
    heard = bench.call("Set-VM", change, Name=["a"])
    assert heard.fqid == f"InvalidState,{COMMANDS}SetVM"
    assert heard.errors[0].category == "InvalidOperation"


def test_notes_and_checkpoint_type_change_while_running(bench: Bench) -> None:
    bench.vm()
    bench.do("Start-VM")
    bench.do("Set-VM", Notes="hvcert", CheckpointType="Standard")
    assert bench.get()["Notes"] == "hvcert"
    assert str(bench.get()["CheckpointType"]) == "Standard"


def test_remove_vm_needs_force_and_keeps_the_disk(bench: Bench) -> None:
    bench.vm()
    with pytest.raises(Terminated, match="-Force"):
        bench.call("Remove-VM", Name=["a"])
    bench.do("Remove-VM", Force=True)
    assert bench.call("Get-VM").out == []
    assert bench.host.is_file("C:\\VMs\\a\\a.vhdx")


def test_a_running_vm_is_not_removed(bench: Bench) -> None:
    bench.vm()
    bench.do("Start-VM")
    heard = bench.call("Remove-VM", Name=["a"], Force=True)
    assert heard.fqid == f"InvalidState,{COMMANDS}RemoveVM"
    assert bench.state() == "Running"


def test_an_object_stands_for_its_vm_until_that_is_removed(bench: Bench) -> None:
    record = bench.vm()
    bench.call("Rename-VM", VM=[record], NewName="b")
    assert bench.get("b")["Id"] == record.properties["Id"]
    bench.do("Remove-VM", "b", Force=True)
    assert bench.call("Start-VM", VM=[record]).fqid == f"ObjectNotFound,{COMMANDS}StartVM"


def test_an_object_that_came_over_the_network_is_refused(bench: Bench) -> None:
    record = bench.vm()
    copy = Record(tuple("Deserialized." + n for n in record.type_names), record.properties)
    assert bench.call("Start-VM", VM=[copy]).fqid == f"InvalidParameter,{COMMANDS}StartVM"


def test_another_computer_is_refused(bench: Bench) -> None:
    bench.vm()
    assert bench.call("Get-VM", Name=["a"], ComputerName=["hv1"]).errors == []
    heard = bench.call("Get-VM", Name=["a"], ComputerName=["other"])
    assert (heard.out, heard.fqid) == ([], f"InvalidParameter,{COMMANDS}GetVM")


def test_ids_are_guids(bench: Bench) -> None:
    assert isinstance(bench.vm().properties["Id"], UUID)
