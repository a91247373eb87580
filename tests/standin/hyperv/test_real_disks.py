"""Fixed disks of real QEMU processes through the cmdlets, in the order the cases use them in."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from harness.standin.host import Host
from harness.standin.qemu import QemuMachines
from harness.standin.releases import RELEASES
from harness.standin.values import Record, Value
from tests.standin.hyperv.bench import Bench, InMemoryMachines

pytestmark = pytest.mark.qemu
MIB = 1 << 20
IDE, OLD, DATA = "C:\\d\\ide.vhdx", "C:\\d\\old.vhd", "C:\\d\\data.vhdx"


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Bench]:
    machines = QemuMachines(tmp_path / "run", "tcg")
    host = Host("HV1", RELEASES["2022"], tmp_path / "files", machines)
    host.files.mkdir()
    yield Bench(host, cast(InMemoryMachines, machines))
    machines.close()


def add(real: Bench, path: str, controller: str) -> None:
    made = real.call("New-VHD", Path=[path], SizeBytes=8 * MIB, Fixed=True)
    assert made.errors == []
    place: dict[str, Value] = {"VMName": ["a"], "ControllerType": controller, "Path": path}
    assert real.call("Add-VMHardDiskDrive", place).errors == []


def attached(real: Bench) -> set[Value]:
    drives = real.call("Get-VMHardDiskDrive", VMName=["a"]).out
    return {cast(Record, drive).properties["Path"] for drive in drives}


def size(real: Bench, path: str) -> Value:
    return real.call("Get-VHD", Path=[path]).one.properties["Size"]


def refused(real: Bench, path: str, wanted: int = 16 * MIB) -> str:
    return real.call("Resize-VHD", Path=[path], SizeBytes=wanted).fqid.partition(",")[0]


def test_what_may_grow_grows_and_what_may_not_stays_through_a_checkpoint_and_back(
    real: Bench,
) -> None:
    real.vm()
    before = attached(real)
    add(real, IDE, "IDE")
    real.do("Start-VM")
    add(real, OLD, "SCSI")
    add(real, DATA, "SCSI")
    assert [refused(real, IDE), refused(real, OLD)] == ["NotSupported", "NotSupported"]
    assert real.call("Resize-VHD", Path=[DATA], SizeBytes=12 * MIB).errors == []
    assert real.call("Checkpoint-VM", Name=["a"], SnapshotName="s").errors == []
    assert refused(real, DATA) == "ObjectInUse"
    real.do("Stop-VM", TurnOff=True, Force=True)
    assert real.call("Remove-VMSnapshot", VMName=["a"]).errors == []
    assert attached(real) == before | {IDE, OLD, DATA}
    assert [size(real, p) for p in (IDE, OLD, DATA)] == [8 * MIB, 8 * MIB, 12 * MIB]
    assert real.call("Test-VHD", Path=[IDE, OLD, DATA]).out == [True, True, True]
    real.do("Start-VM")
    assert real.state() == "Running"
    for path in (OLD, DATA):
        place: dict[str, Value] = {"VMName": ["a"], "ControllerType": "SCSI"}
        place |= {"ControllerNumber": 0, "ControllerLocation": 0 if path == OLD else 1}
        assert real.call("Remove-VMHardDiskDrive", place).errors == []
    assert attached(real) == before | {IDE}
