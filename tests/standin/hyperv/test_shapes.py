"""Objects are what the contract data says, on each release."""

import json
from importlib import resources
from typing import Any, cast

import pytest

from harness.standin import limits
from harness.standin.releases import RELEASES
from harness.standin.shapes import build, properties
from harness.standin.values import EnumValue, Int64, Record, UInt32, UInt64, Value
from tests.standin.hyperv.bench import Bench
from tests.standin.hyperv.conftest import MakeBench

CONTRACT = json.loads(
    (resources.files("harness.standin") / "contract_data/objects.json").read_text()
)
PYTHON: dict[str, type | tuple[type, ...]] = {
    "Int64": Int64, "UInt32": UInt32, "UInt64": UInt64, "String": str, "Boolean": bool,
    "Int32": int,
}  # fmt: skip
GETS = {
    "VirtualMachine": ("Get-VM", "Name"),
    "VMMemory": ("Get-VMMemory", "VMName"),
    "VMProcessor": ("Get-VMProcessor", "VMName"),
    "HardDiskDrive": ("Get-VMHardDiskDrive", "VMName"),
    "DvdDrive": ("Get-VMDvdDrive", "VMName"),
    "VMIdeController": ("Get-VMIdeController", "VMName"),
    "VMScsiController": ("Get-VMScsiController", "VMName"),
    "VMNetworkAdapter": ("Get-VMNetworkAdapter", "VMName"),
    "VMNetworkAdapterVlanSetting": ("Get-VMNetworkAdapterVlan", "VMName"),
    "VMIntegrationComponent": ("Get-VMIntegrationService", "VMName"),
    "VMComPort": ("Get-VMComPort", "VMName"),
    "VMBios": ("Get-VMBios", "VMName"),
    "VMSnapshot": ("Get-VMSnapshot", "VMName"),
    "VMSwitch": ("Get-VMSwitch", ""),
    "VMHost": ("Get-VMHost", ""),
}


def everything(bench: Bench) -> None:
    bench.call("New-VMSwitch", Name="lab", SwitchType="Internal")
    bench.vm(SwitchName="lab")
    bench.do("Checkpoint-VM")
    bench.do("Start-VM")


def enums(value: Value) -> list[EnumValue]:
    if isinstance(value, EnumValue):
        return [value]
    if isinstance(value, list):
        return [e for v in value for e in enums(v)]
    return []


@pytest.mark.parametrize("release", RELEASES)
def test_objects_have_the_properties_types_and_enum_numbers_of_the_contract(
    make_bench: MakeBench, release: str
) -> None:
    bench = make_bench(release)
    everything(bench)
    for short, (cmdlet, key) in GETS.items():
        heard = bench.call(cmdlet, {key: ["a"]} if key else {})
        assert not heard.errors, (cmdlet, heard.errors)
        assert heard.out, cmdlet
        for value in heard.out:
            check(cast(Record, value), f"Microsoft.HyperV.PowerShell.{short}", release)
    disk = bench.call("Get-VHD", Path=["C:\\VMs\\a\\a.vhdx"]).one
    check(disk, "Microsoft.Vhd.PowerShell.VirtualHardDisk", release)


def check(record: Record, name: str, release: str) -> None:
    contract = CONTRACT["types"][name]
    assert record.type_names[0] == name
    assert record.type_names[-1] == "System.Object"
    if "bases" in contract:
        assert list(record.type_names[1:-1]) == contract["bases"]
    known = properties(name, RELEASES[release])
    added = contract.get("type_data_properties", {}).get("map", {})
    assert record.properties.keys() - added.keys() <= known.keys()
    assert known.keys() <= record.properties.keys()
    for prop, kind in known.items():
        value = record.properties[prop]
        if kind in PYTHON:
            assert isinstance(value, PYTHON[kind]), (name, prop, value)
        for found in enums(value):
            numbers: dict[str, Any] = CONTRACT["enums"].get(found.type_name, {"values": {}})
            assert numbers["values"].get(found.name, found.number) == found.number


@pytest.mark.parametrize(
    ("release", "has"),
    [("2012r2", False), ("2016", True), ("2019", True), ("2022", True), ("2025", True)],
)
def test_2012_r2_has_no_gap_on_its_vms(make_bench: MakeBench, release: str, *, has: bool) -> None:
    vm = make_bench(release).vm().properties
    assert ("LowMemoryMappedIoSpace" in vm) is has
    assert ("CimSession" in vm) is has
    assert ("CheckpointType" in vm) is has


def test_type_data_properties_repeat_their_source(bench: Bench) -> None:
    vm = bench.vm().properties
    assert (vm["VMName"], vm["VMId"]) == (vm["Name"], vm["Id"])


def test_a_property_that_the_contract_does_not_know_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        build("Microsoft.HyperV.PowerShell.VMBios", RELEASES["2022"], {"Nonsense": 1}, "", None)


def test_limits_are_sentences() -> None:
    assert len(limits.LIMITS) > 20
    assert all(text.endswith(".") and text[0].isupper() for text in limits.LIMITS)
