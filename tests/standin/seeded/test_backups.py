"""What the faults of live backup do to copies, to a restored VM and to a guest's time."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from harness.standin.seeded import backup
from harness.standin.values import Record
from tests.standin.hyperv.bench import Bench, InMemoryMachines
from tests.standin.hyperv.test_server_backup import back_up, restore
from tests.standin.seeded.conftest import Broken
from tests.standin.seeded.test_guests import ADDRESS, told

WRITTEN, TEMPLATE, NOTHING = 7, 9, 0


def disk_io(path: Path, what: str, pattern: int) -> bool:
    """Write or read 64 KiB of one byte by QEMU's own program; tell whether that went well."""
    form = "vhdx" if path.read_bytes()[:8] == b"vhdxfile" else "qcow2"
    command = ("qemu-io", "-f", form, "-c", f"{what} -P {pattern} 0 64k", str(path))
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def holds(path: Path) -> int:
    (found,) = [p for p in (WRITTEN, TEMPLATE, NOTHING) if disk_io(path, "read", p)]
    return found


@pytest.fixture
def running(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> Broken:
    """Make broken hosts with a running VM whose guest wrote since its address was told."""

    def copied(self: InMemoryMachines, vm: UUID, copies: backup.Pairs) -> None:
        self._freeze(vm)
        for disk, file in copies:
            shutil.copyfile(disk, file)

    monkeypatch.setattr(InMemoryMachines, "online_backup", copied)

    def make(*faults: str) -> Bench:
        bench = broken(*faults)
        (bench.host.files / "E").mkdir()
        bench.machines.freezes = True
        bench.call("New-VHD", Path=["C:\\templates\\t.vhdx"], SizeBytes=8 << 20, Dynamic=True)
        assert disk_io(bench.host.local("C:\\templates\\t.vhdx"), "write", TEMPLATE)
        bench.call("New-VMSwitch", Name="s", SwitchType="Internal")
        bench.vm(SwitchName="s")
        bench.do("Start-VM")
        (vm,) = bench.machines.specs
        assert told(bench, vm) == ADDRESS
        assert disk_io(bench.host.local("C:\\VMs\\a\\a.vhdx"), "write", WRITTEN)
        return bench

    return make


def backed_up_and_restored(bench: Bench) -> Path:
    """Return the disk of the VM after a backup and a recovery that report success."""
    assert not restore(bench, back_up(bench)).errors
    job = bench.call("Get-WBJob", Previous=1).one.properties
    assert job["JobState"] == "Completed"
    drive: Record = bench.call("Get-VMHardDiskDrive", VMName=["a"]).one
    return bench.host.local(str(drive.properties["Path"]))


@pytest.mark.parametrize(
    ("faults", "content"),
    [
        ((), WRITTEN),
        (("stale-backup-restored",), NOTHING),
        (("backup-of-wrong-disk",), TEMPLATE),
        (("backup-not-frozen",), WRITTEN),
    ],
)
def test_a_restored_disk_holds_other_bytes(
    running: Broken, faults: tuple[str, ...], content: int
) -> None:
    bench = running(*faults)
    restored = backed_up_and_restored(bench)
    assert restored != bench.host.local("C:\\VMs\\a\\a.vhdx")
    assert holds(restored) == content


def test_a_recovery_that_reports_success_restored_nothing(running: Broken) -> None:
    bench = running("restore-restores-nothing")
    assert backed_up_and_restored(bench) == bench.host.local("C:\\VMs\\a\\a.vhdx")
    assert bench.state() == "Running"


def test_a_machine_is_copied_without_being_asked_to_freeze(running: Broken) -> None:
    for faults, asked in (((), True), (("backup-not-frozen",), False)):
        (spec,) = running(*faults).machines.specs.values()
        assert spec.frozen_copies is asked


def test_an_offline_backup_comes_back_as_after_an_online_one(running: Broken) -> None:
    for faults, state in (((), "Saved"), (("offline-backup-called-online",), "Off")):
        bench = running(*faults)
        bench.machines.freezes = False
        backed_up_and_restored(bench)
        assert bench.state() == state


def test_the_processors_stand_still_before_a_copy(
    running: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "STANDS_STILL", 0.0)
    stops: list[UUID] = []
    monkeypatch.setattr(InMemoryMachines, "pause", lambda _self, vm: stops.append(vm))
    bench = running("clock-jumps")
    back_up(bench)
    bench.call("Set-VM", Name=["a"], CheckpointType="ProductionOnly")
    bench.call("Checkpoint-VM", Name=["a"], SnapshotName="s")
    (vm,) = bench.machines.specs
    assert stops == [vm, vm]
    assert bench.machines.states[vm] == "running"
