"""Resize-VHD as a host does it, and refuses it."""

from __future__ import annotations

import pytest

from harness.standin.values import Value
from tests.standin.hyperv.bench import Bench
from tests.standin.hyperv.conftest import MakeBench

VHD = "Microsoft.Vhd.PowerShell.Cmdlets."
RESIZE = f"{VHD}ResizeVhd"
MiB = 1 << 20
SIZE = 8 * MiB


def with_disk(bench: Bench, name: str = "x.vhdx", controller: str = "SCSI") -> str:
    """Make a VM with a fixed data disk, and start it."""
    path = f"C:\\d\\{name}"
    bench.vm()
    bench.call("New-VHD", Path=[path], SizeBytes=SIZE, Fixed=True)
    place: dict[str, Value] = {"ControllerType": controller, "ControllerNumber": 0}
    bench.call("Add-VMHardDiskDrive", place, VMName=["a"], Path=path)
    bench.do("Start-VM")
    return path


def size_of(bench: Bench, path: str) -> Value:
    return bench.call("Get-VHD", Path=[path]).one.properties["Size"]


def partitioned(bench: Bench, path: str, last_sector: int) -> None:
    """Give the disk an MBR with one partition from sector 2048 to that one."""
    entry = bytes(8) + (2048).to_bytes(4, "little") + (last_sector - 2047).to_bytes(4, "little")
    table = (bytes(446) + entry[:4] + b"\x83" + entry[5:] + bytes(48)) + b"\x55\xaa"
    local = bench.host.local(path)
    offset = bench.host.disks.info(local).payload
    assert offset is not None
    with local.open("r+b") as file:
        file.seek(offset.offset)
        file.write(table)


@pytest.mark.parametrize("running", [True, False])
def test_a_vhdx_on_scsi_grows_whether_it_is_used_or_not(bench: Bench, *, running: bool) -> None:
    path = with_disk(bench)
    if not running:
        bench.do("Stop-VM", TurnOff=True, Force=True)
    grown = bench.call("Resize-VHD", Path=[path], SizeBytes=2 * SIZE, Passthru=True).one
    assert grown.properties["Size"] == 2 * SIZE
    told = [(bench.host.local(path), 2 * SIZE)] if running else []
    assert bench.machines.grown == told
    assert bench.call("Test-VHD", Path=[path]).out == [True]


@pytest.mark.parametrize(
    ("name", "controller"), [("x.vhdx", "IDE"), ("x.vhd", "SCSI"), ("x.vhd", "IDE")]
)
@pytest.mark.parametrize("size", [2 * SIZE, SIZE // 2])
def test_ide_and_vhd_are_not_resized_while_the_machine_runs(
    bench: Bench, name: str, controller: str, size: int
) -> None:
    path = with_disk(bench, name, controller)
    assert bench.call("Resize-VHD", Path=[path], SizeBytes=size).fqid == f"NotSupported,{RESIZE}"
    assert size_of(bench, path) == SIZE


def test_a_vhd_grows_when_nobody_uses_it_and_never_shrinks(bench: Bench) -> None:
    path = with_disk(bench, "x.vhd")
    bench.do("Stop-VM", TurnOff=True, Force=True)
    shrunk = bench.call("Resize-VHD", Path=[path], SizeBytes=SIZE // 2)
    assert shrunk.fqid == f"NotSupported,{RESIZE}"
    assert bench.call("Resize-VHD", Path=[path], SizeBytes=2 * SIZE).errors == []
    assert size_of(bench, path) == 2 * SIZE


def test_a_partition_is_the_least_that_a_disk_shrinks_to(bench: Bench) -> None:
    path = with_disk(bench)
    assert bench.call("Get-VHD", Path=[path]).one.properties["MinimumSize"] is None
    partitioned(bench, path, 2048 + 4095)
    assert bench.call("Get-VHD", Path=[path]).one.properties["MinimumSize"] == 3 * MiB
    heard = bench.call("Resize-VHD", Path=[path], SizeBytes=2 * MiB)
    assert heard.fqid == f"InvalidParameter,{RESIZE}"
    assert size_of(bench, path) == SIZE


def test_the_parent_of_a_checkpoint_is_not_resized(bench: Bench) -> None:
    path = with_disk(bench)
    bench.call("Checkpoint-VM", Name=["a"], SnapshotName="s")
    heard = bench.call("Resize-VHD", Path=[path], SizeBytes=2 * SIZE)
    assert heard.fqid == f"ObjectInUse,{RESIZE}"
    bench.do("Stop-VM", TurnOff=True, Force=True)
    heard = bench.call("Resize-VHD", Path=[path], SizeBytes=2 * SIZE)
    assert heard.fqid == f"InvalidParameter,{RESIZE}"
    assert size_of(bench, path) == SIZE


def test_2012_r2_spells_the_class_another_way(make_bench: MakeBench) -> None:
    bench = make_bench("2012r2")
    path = with_disk(bench, controller="IDE")
    heard = bench.call("Resize-VHD", Path=[path], SizeBytes=2 * SIZE)
    assert heard.fqid == "NotSupported,Microsoft.Vhd.PowerShell.ResizeVhdCommand"


def test_a_disk_is_not_connected_twice_to_one_machine(bench: Bench) -> None:
    path = with_disk(bench)
    bench.do("Stop-VM", TurnOff=True, Force=True)
    heard = bench.call("Add-VMHardDiskDrive", VMName=["a"], ControllerType="SCSI", Path=path)
    wanted = "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.AddVMHardDiskDrive"
    assert heard.fqid == wanted
