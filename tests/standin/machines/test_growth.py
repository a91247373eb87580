"""Fixed disks that grow while a real QEMU has them open."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from harness.standin.disks import Disks
from harness.standin.machines import DiskSpec, MachineError, MachineSpec
from harness.standin.payload import payload_of
from harness.standin.qemu import QemuMachines

pytestmark = pytest.mark.qemu

MiB = 1 << 20


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[QemuMachines]:
    found = QemuMachines(tmp_path / "run", "tcg")
    yield found
    found.close()


@pytest.fixture
def spec(tmp_path: Path) -> MachineSpec:
    disk = Disks().create(tmp_path / "boot.vhdx", 16 * MiB)
    return MachineSpec(uuid4(), "a", 64 * MiB, 1, 128 * MiB, (DiskSpec(disk.path, "IDE"),))


def fixed(folder: Path, name: str) -> DiskSpec:
    path = Disks().create(folder / name, 8 * MiB, "Fixed").path
    payload = payload_of(path)
    assert payload is not None
    size = None if payload.open_end else payload.size
    return DiskSpec(path, "SCSI", 0, 1, "raw", offset=payload.offset, size=size)


def test_a_vhdx_grows_in_use_and_is_a_whole_file_afterwards(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    disk = fixed(tmp_path, "d.vhdx")
    machines.start(spec)
    machines.attach(spec.id, disk)
    Disks().resize(disk.path, 24 * MiB)
    machines.grow(spec.id, disk, 24 * MiB)
    machines.detach(spec.id, disk)
    machines.kill(spec.id)
    assert disk.path.stat().st_size == disk.offset + 24 * MiB
    check = ("qemu-img", "check", "-f", "vhdx", str(disk.path))
    subprocess.run(check, check=True)
    assert Disks().info(disk.path).virtual_size == 24 * MiB


def test_a_vhd_in_use_does_not_grow(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    disk = fixed(tmp_path, "d.vhd")
    machines.start(spec)
    machines.attach(spec.id, disk)
    with pytest.raises(MachineError, match="block_resize"):
        machines.grow(spec.id, disk, 24 * MiB)


def test_a_checkpoint_over_a_fixed_disk_is_taken_and_merged(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    disk, overlay = fixed(tmp_path, "d.vhdx"), tmp_path / "d.avhdx"
    machines.start(spec)
    machines.attach(spec.id, disk)
    machines.checkpoint(spec.id, tmp_path / "state", ((disk.path, overlay),))
    assert Disks().info(overlay).parent == disk.path
    machines.merge(spec.id, overlay, disk.path)
    machines.grow(spec.id, disk, 16 * MiB)
    machines.detach(spec.id, disk)
