"""The cmdlets on real QEMU processes: an empty disk is enough, no guest has to boot."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from harness.standin.host import Host
from harness.standin.qemu import QemuMachines
from harness.standin.releases import RELEASES
from harness.standin.values import Record
from tests.standin.hyperv.bench import Bench, InMemoryMachines


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Bench]:
    machines = QemuMachines(tmp_path / "run", "tcg")
    host = Host("HV1", RELEASES["2022"], tmp_path / "files", machines)
    host.files.mkdir()
    yield Bench(host, cast(InMemoryMachines, machines))
    machines.close()


@pytest.mark.qemu
def test_a_machine_with_modules_is_saved_checkpointed_and_comes_back(real: Bench) -> None:
    mib = 1 << 20
    real.vm()
    sizes = {"MinimumBytes": 256 * mib, "StartupBytes": 512 * mib, "MaximumBytes": 2048 * mib}
    real.call("Set-VMMemory", {"VMName": ["a"], **sizes}, DynamicMemoryEnabled=True)
    real.do("Start-VM")
    (vm,) = real.host.world.vms.values()
    for size in (128, 256):
        real.host.machines.add_memory(vm.id, size * mib)
        vm.ram.modules = (*vm.ram.modules, size * mib)
    assert real.get()["MemoryAssigned"] == 896 * mib
    assert not real.call("Checkpoint-VM", Name=["a"], SnapshotName="hot").errors
    real.do("Save-VM")
    assert real.get()["MemoryAssigned"] == 0
    real.do("Start-VM")
    assert real.get()["MemoryAssigned"] == 896 * mib
    real.host.machines.add_memory(vm.id, 128 * mib)
    assert real.get()["MemoryAssigned"] == 1024 * mib
    assert not real.call("Restore-VMSnapshot", {"VMName": ["a"], "Name": ["hot"]}).errors
    real.do("Start-VM")
    assert real.get()["MemoryAssigned"] == 896 * mib


@pytest.mark.qemu
def test_checkpoints_pause_save_and_nmi_on_a_real_machine(real: Bench) -> None:
    real.vm()
    real.do("Set-VM", LowMemoryMappedIoSpace=1 << 30)
    real.do("Start-VM")
    assert real.get()["MemoryAssigned"] == 512 << 20
    real.do("Suspend-VM")
    assert real.call("Debug-VM", Name=["a"], InjectNonMaskableInterrupt=True, Force=True).errors
    real.do("Resume-VM")
    real.do("Debug-VM", InjectNonMaskableInterrupt=True, Force=True)

    snapshot = real.do("Checkpoint-VM", SnapshotName="hot", Passthru=True).one
    assert real.state() == "Running"
    assert not real.call("Restore-VMSnapshot", VMSnapshot=snapshot).errors
    assert real.state() == "Saved"
    real.do("Start-VM")
    real.do("Save-VM")
    real.do("Start-VM")
    assert real.state() == "Running"

    assert not real.call("Remove-VMSnapshot", VMName=["a"]).errors
    assert real.state() == "Running"
    (drive,) = real.call("Get-VMHardDiskDrive", VMName=["a"]).out
    assert cast(Record, drive).properties["Path"] == "C:\\VMs\\a\\a.vhdx"
    assert real.call("Test-VHD", Path=["C:\\VMs\\a\\a.vhdx"]).out == [True]
    assert real.call("Get-VHD", Path=["C:\\VMs\\a\\a.vhdx"]).one.properties["ParentPath"] == ""
