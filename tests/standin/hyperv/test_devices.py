"""Disks, drives, controllers, adapters, switches, services and ports."""

from typing import cast

import pytest

from harness.standin.api import Terminated
from harness.standin.values import Record, Value
from tests.standin.hyperv.bench import Bench, Heard
from tests.standin.hyperv.conftest import MakeBench

COMMANDS = "Microsoft.HyperV.PowerShell.Commands."
VHD = "Microsoft.Vhd.PowerShell.Cmdlets."
DISK = "C:\\d\\x.vhdx"


def names(heard: Heard, key: str = "Name") -> list[Value]:
    return [cast(Record, o).properties[key] for o in heard.out]


@pytest.mark.parametrize("kind", ["Fixed", "Dynamic"])
def test_a_disk_is_of_the_kind_and_size_that_was_asked_for(bench: Bench, kind: str) -> None:
    made = bench.call("New-VHD", {kind: True}, Path=[DISK], SizeBytes=8 << 20).one.properties
    assert (str(made["VhdType"]), made["Size"], str(made["VhdFormat"])) == (kind, 8 << 20, "VHDX")
    assert bench.call("Test-VHD", Path=[DISK]).out == [True]


def test_a_child_names_its_parent_and_takes_its_size(bench: Bench) -> None:
    bench.call("New-VHD", Path=[DISK], SizeBytes=8 << 20)
    child = bench.call(
        "New-VHD", Path=["C:\\d\\c.vhdx"], ParentPath=DISK, Differencing=True
    ).one.properties
    assert (str(child["VhdType"]), child["ParentPath"], child["Size"]) == (
        "Differencing", DISK, 8 << 20,
    )  # fmt: skip
    copy = bench.call(
        "Convert-VHD", Path="C:\\d\\c.vhdx", DestinationPath="C:\\d\\full.vhdx",
        VHDType="Dynamic", Passthru=True,
    ).one.properties  # fmt: skip
    assert (copy["ParentPath"], str(copy["VhdType"])) == ("", "Dynamic")


@pytest.mark.parametrize(
    ("wanted", "fqid"),
    [
        (
            {"Path": ["C:\\d\\y.vhdx"], "ParentPath": "C:\\d\\no.vhdx"},
            f"ObjectNotFound,{VHD}NewVhd",
        ),
        ({"Path": ["C:\\d\\y.img"], "SizeBytes": 8 << 20}, f"InvalidParameter,{VHD}NewVhd"),
        ({"Path": ["C:\\d\\y.vhdx"], "SizeBytes": 5}, f"InvalidParameter,{VHD}NewVhd"),
        ({"Path": [DISK], "SizeBytes": 8 << 20}, f"OperationFailed,{VHD}NewVhd"),
    ],
)
def test_a_disk_that_cannot_be_made_is_an_error(
    bench: Bench, wanted: dict[str, Value], fqid: str
) -> None:
    bench.call("New-VHD", Path=[DISK], SizeBytes=8 << 20)
    assert bench.call("New-VHD", wanted).fqid == fqid


def test_get_vhd_of_a_missing_file_is_an_error(make_bench: MakeBench) -> None:
    assert make_bench("2022").call("Get-VHD", Path=[DISK]).fqid == f"ObjectNotFound,{VHD}GetVHD"


def test_2012_r2_spells_its_vhd_classes_another_way(make_bench: MakeBench) -> None:
    heard = make_bench("2012r2").call("Get-VHD", Path=[DISK])
    assert heard.fqid == "ObjectNotFound,Microsoft.Vhd.PowerShell.GetVHDCommand"


def test_a_broken_disk_fails_test_vhd(bench: Bench) -> None:
    bench.call("New-VHD", Path=[DISK], SizeBytes=8 << 20)
    bench.host.local(DISK).write_bytes(b"QFI\xfb" + b"\xff" * 600)
    heard = bench.call("Test-VHD", Path=[DISK])
    assert (heard.out, heard.fqid) == ([False], f"OperationFailed,{VHD}TestVHD")


def test_a_disk_takes_the_first_free_place_or_the_one_asked_for(bench: Bench) -> None:
    bench.vm()
    for n in range(3):
        bench.call("New-VHD", Path=[f"C:\\d\\{n}.vhdx"], SizeBytes=8 << 20)
    bench.call("Add-VMHardDiskDrive", VMName=["a"], Path="C:\\d\\0.vhdx")
    bench.call("Add-VMHardDiskDrive", VMName=["a"], Path="C:\\d\\1.vhdx", ControllerType="SCSI")
    (scsi,) = bench.call("Get-VMScsiController", VMName=["a"]).out
    bench.call("Add-VMHardDiskDrive", VMDriveController=scsi, ControllerLocation=7,
               Path="C:\\d\\2.vhdx")  # fmt: skip
    shown = bench.call("Get-VMHardDiskDrive", VMName=["a"])
    places = [
        (str(t), n, at)
        for t, n, at in zip(
            names(shown, "ControllerType"),
            names(shown, "ControllerNumber"),
            names(shown, "ControllerLocation"),
            strict=True,
        )
    ]
    assert places == [("IDE", 0, 0), ("IDE", 0, 1), ("SCSI", 0, 0), ("SCSI", 0, 7)]
    assert len(bench.call("Get-VMHardDiskDrive", VMDriveController=[scsi]).out) == 2


@pytest.mark.parametrize(
    "place",
    [
        {"ControllerType": "IDE", "ControllerNumber": 0, "ControllerLocation": 0},
        {"ControllerType": "IDE", "ControllerNumber": 1, "ControllerLocation": 0},
        {"ControllerType": "SCSI", "ControllerNumber": 3},
    ],
)
def test_a_place_that_is_taken_or_absent_is_refused(bench: Bench, place: dict[str, Value]) -> None:
    bench.vm()
    bench.call("New-VHD", Path=[DISK], SizeBytes=8 << 20)
    heard = bench.call("Add-VMHardDiskDrive", place, VMName=["a"], Path=DISK)
    assert heard.fqid == f"InvalidParameter,{COMMANDS}AddVMHardDiskDrive"


def test_a_drive_is_moved_and_removed_and_the_file_stays(bench: Bench) -> None:
    bench.vm()
    drive = bench.call("Get-VMHardDiskDrive", VMName=["a"]).one
    moved = bench.call(
        "Set-VMHardDiskDrive", VMHardDiskDrive=[drive], ToControllerType="SCSI",
        ToControllerNumber=0, ToControllerLocation=3, Passthru=True,
    ).one  # fmt: skip
    assert moved.properties["ControllerLocation"] == 3
    assert bench.call("Remove-VMHardDiskDrive", VMHardDiskDrive=[moved]).errors == []
    assert bench.call("Get-VMHardDiskDrive", VMName=["a"]).out == []
    assert bench.host.is_file("C:\\VMs\\a\\a.vhdx")


def test_four_scsi_controllers_are_the_most(bench: Bench) -> None:
    bench.vm()
    for _ in range(3):
        assert not bench.call("Add-VMScsiController", VMName=["a"]).errors
    assert bench.call("Add-VMScsiController", VMName=["a"]).fqid.startswith("InvalidParameter,")
    bench.do("Start-VM")
    assert bench.call("Add-VMScsiController", VMName=["a"]).fqid.startswith("InvalidState,")


def connected(bench: Bench, name: str) -> Record:
    if not bench.call("Get-VMSwitch").out:
        bench.call("New-VMSwitch", Name="lab", SwitchType="Internal")
    bench.vm(name, SwitchName="lab")
    bench.do("Start-VM", name)
    return bench.call("Get-VMNetworkAdapter", VMName=[name]).one


def test_each_adapter_on_a_switch_has_an_address_and_a_hyper_v_mac(bench: Bench) -> None:
    bench.host.guest_network = "127.87.9."
    first, second = connected(bench, "a").properties, connected(bench, "b").properties
    assert (first["IPAddresses"], second["IPAddresses"]) == (["127.87.9.2"], ["127.87.9.3"])
    assert (first["MacAddress"], second["MacAddress"]) == ("00155D000001", "00155D000002")
    assert first["SwitchName"] == "lab"


def test_the_address_of_a_removed_vm_is_given_again(bench: Bench) -> None:
    connected(bench, "a")
    bench.do("Stop-VM", "a")
    bench.do("Remove-VM", "a", Force=True)
    assert connected(bench, "b").properties["IPAddresses"] == ["127.87.0.2"]


def test_an_adapter_without_a_switch_or_key_value_exchange_tells_no_address(bench: Bench) -> None:
    connected(bench, "a")
    bench.call("Disable-VMIntegrationService", VMName=["a"], Name=["Key-Value Pair Exchange"])
    assert bench.call("Get-VMNetworkAdapter", VMName=["a"]).one.properties["IPAddresses"] == []
    bench.vm("b")
    bench.do("Start-VM", "b")
    alone = bench.call("Get-VMNetworkAdapter", VMName=["b"]).one.properties
    assert (alone["IPAddresses"], alone["Connected"], alone["SwitchId"]) == ([], False, None)


def test_a_fixed_mac_is_kept_and_a_wrong_one_refused(bench: Bench) -> None:
    bench.vm()
    bench.call("Set-VMNetworkAdapter", VMName="a", StaticMacAddress="00-15-5d-aa-bb-cc")
    shown = bench.call("Get-VMNetworkAdapter", VMName=["a"]).one.properties
    assert (shown["MacAddress"], shown["DynamicMacAddressEnabled"]) == ("00155DAABBCC", False)
    heard = bench.call("Set-VMNetworkAdapter", VMName="a", StaticMacAddress="nonsense")
    assert heard.fqid == f"InvalidParameter,{COMMANDS}SetVMNetworkAdapter"


def test_adapters_are_added_connected_and_removed(bench: Bench) -> None:
    bench.vm()
    bench.call("New-VMSwitch", Name="lab", SwitchType="Private")
    bench.call("Add-VMNetworkAdapter", VMName=["a"], Name="second")
    bench.call("Connect-VMNetworkAdapter", VMName=["a"], Name=["second"], SwitchName="lab")
    shown = bench.call("Get-VMNetworkAdapter", VMName=["a"])
    assert names(shown, "SwitchName") == ["", "lab"]
    bench.call("Remove-VMNetworkAdapter", VMName=["a"], Name="second")
    assert len(bench.call("Get-VMNetworkAdapter", VMName=["a"]).out) == 1


def test_vlans_are_remembered_and_bad_ones_refused(bench: Bench) -> None:
    bench.vm()
    assert not bench.call("Set-VMNetworkAdapterVlan", VMName=["a"], Access=True, VlanId=7).errors
    shown = bench.call("Get-VMNetworkAdapterVlan", VMName=["a"]).one.properties
    assert (str(shown["OperationMode"]), shown["AccessVlanId"]) == ("Access", 7)
    heard = bench.call("Set-VMNetworkAdapterVlan", VMName=["a"], Access=True, VlanId=4095)
    assert heard.fqid == f"InvalidParameter,{COMMANDS}SetVMNetworkAdapterVlan"
    bench.call("Set-VMNetworkAdapterVlan", VMName=["a"], Trunk=True, AllowedVlanIdList="1,3-5")
    shown = bench.call("Get-VMNetworkAdapterVlan", VMName=["a"]).one.properties
    assert shown["AllowedVlanIdList"] == [1, 3, 4, 5]


def test_switches_are_found_and_removed(bench: Bench) -> None:
    connected(bench, "a")
    missing = bench.call("Get-VMSwitch", Name="no")
    assert missing.fqid == f"InvalidParameter,{COMMANDS}GetVMSwitch"
    in_use = bench.call("Remove-VMSwitch", Name=["lab"], Force=True)
    assert in_use.fqid == f"ObjectInUse,{COMMANDS}RemoveVMSwitch"
    with pytest.raises(Terminated):
        bench.call("Remove-VMSwitch", Name=["lab"])


def test_integration_services_follow_the_guest(bench: Bench) -> None:
    bench.vm()
    off = bench.call("Get-VMIntegrationService", VMName=["a"], Name=["Heartbeat"]).one
    assert off.properties["PrimaryOperationalStatus"] is None
    bench.do("Start-VM")
    on = bench.call("Get-VMIntegrationService", VMName=["a"], Name=["Heartbeat"]).one
    assert str(on.properties["PrimaryOperationalStatus"]) == "Ok"
    assert len(bench.call("Get-VMIntegrationService", VMName=["a"]).out) == 6
    heard = bench.call("Get-VMIntegrationService", VMName=["a"], Name=["Nothing"])
    assert heard.fqid == f"InvalidParameter,{COMMANDS}GetVMIntegrationService"


def test_a_generation_1_vm_has_a_bios_and_no_firmware(bench: Bench) -> None:
    bench.vm()
    heard = bench.call("Get-VMFirmware", VMName=["a"])
    assert heard.fqid == f"InvalidParameter,{COMMANDS}GetVMFirmware"
    order = bench.call("Get-VMBios", VMName=["a"]).one.properties["StartupOrder"]
    assert [str(o) for o in cast(list[Value], order)] == [
        "CD", "IDE", "LegacyNetworkAdapter", "Floppy",
    ]  # fmt: skip


def test_serial_ports_take_named_pipes_only(bench: Bench) -> None:
    bench.vm()
    assert len(bench.call("Get-VMComPort", VMName=["a"]).out) == 2
    bench.call("Set-VMComPort", VMName=["a"], Number=1, Path="\\\\.\\pipe\\a")
    port = bench.call("Get-VMComPort", VMName=["a"], Number=1).one.properties
    assert (port["Path"], str(port["DebuggerMode"])) == ("\\\\.\\pipe\\a", "Off")
    assert bench.call("Set-VMComPort", VMName=["a"], Number=1, Path="C:\\a").errors
    assert bench.call("Set-VMComPort", VMName=["a"], Number=3, Path="").errors


def test_memory_is_checked_as_a_whole(bench: Bench) -> None:
    bench.vm()
    good = bench.call(
        "Set-VMMemory", VMName=["a"], DynamicMemoryEnabled=True, MinimumBytes=512 << 20,
        StartupBytes=768 << 20, MaximumBytes=8 << 30, Passthru=True,
    ).one.properties  # fmt: skip
    assert (good["Minimum"], good["Startup"], good["Maximum"]) == (512 << 20, 768 << 20, 8 << 30)
    for bad in ({"MinimumBytes": 1 << 30}, {"StartupBytes": (768 << 20) + 1}):
        heard = bench.call("Set-VMMemory", bad, VMName=["a"])
        assert heard.fqid == f"InvalidParameter,{COMMANDS}SetVMMemory"
    assert bench.get()["MemoryStartup"] == 768 << 20


def test_processors_are_counted(bench: Bench) -> None:
    bench.vm()
    bench.call("Set-VMProcessor", VMName=["a"], Count=2, ExposeVirtualizationExtensions=True)
    shown = bench.call("Get-VMProcessor", VMName=["a"]).one.properties
    assert (shown["Count"], shown["ExposeVirtualizationExtensions"]) == (2, True)
    assert bench.call("Set-VMProcessor", VMName=["a"], Count=999).errors
