"""Fixed VHD and VHDX files, read by QEMU's drivers and by libvhdi, which know nothing of ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import pyvhdi

from harness.standin import vhd, vhdx, vhdx_layout
from harness.standin.crc32c import crc32c
from harness.standin.disks import Disks
from harness.standin.machines import MachineError
from harness.standin.payload import payload_of

MiB = 1 << 20
SIZE = 12 * MiB
FORMATS = {".vhd": "vpc", ".vhdx": "vhdx"}
both = pytest.mark.parametrize("suffix", [".vhd", ".vhdx"])


def qemu_says(path: Path) -> int:
    """Return the size that QEMU's own driver reads; it also checks a VHDX."""
    form = FORMATS[path.suffix]
    if form == "vhdx":
        check = ("qemu-img", "check", "-f", form, str(path))
        subprocess.run(check, check=True)
    command = ("qemu-img", "info", "--output=json", "-f", form, str(path))
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(json.loads(told)["virtual-size"])


def libvhdi_says(path: Path) -> tuple[int, bool]:
    """Return the size that libvhdi reads, and whether it is a fixed disk to it."""
    disk = pyvhdi.file()
    disk.open(str(path))
    try:
        return disk.get_media_size(), disk.get_disk_type() == 2
    finally:
        disk.close()


def write(path: Path, byte: int, at: int) -> None:
    """Write 64 KiB where the stand-in's guests write."""
    payload = payload_of(path)
    assert payload is not None
    with path.open("r+b") as file:
        file.seek(payload.offset + at)
        file.write(bytes([byte]) * 65536)


def libvhdi_reads(path: Path, at: int) -> bytes:
    disk = pyvhdi.file()
    disk.open(str(path))
    try:
        return bytes(disk.read_buffer_at_offset(65536, at))
    finally:
        disk.close()


def test_the_checksum_is_the_one_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


@both
def test_a_new_disk_is_what_other_readers_take_it_for(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    made = Disks().create(path, SIZE, "Fixed")
    assert (made.kind, made.virtual_size, made.format) == ("Fixed", SIZE, "raw")
    assert qemu_says(path) == SIZE
    assert libvhdi_says(path) == (SIZE, True)
    Disks().check(path)


@both
def test_a_grown_disk_has_its_new_size_its_data_and_its_identity(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    before = Disks().create(path, SIZE, "Fixed").payload
    write(path, 7, SIZE - 65536)
    after = Disks().resize(path, 5 * SIZE).payload
    write(path, 9, 5 * SIZE - 65536)
    assert qemu_says(path) == libvhdi_says(path)[0] == 5 * SIZE
    assert libvhdi_reads(path, SIZE - 65536) == bytes([7]) * 65536
    assert libvhdi_reads(path, SIZE) == bytes(65536)
    assert libvhdi_reads(path, 5 * SIZE - 65536) == bytes([9]) * 65536
    assert before is not None
    assert after is not None
    assert before.identifier == after.identifier


def test_growing_beyond_a_chunk_keeps_every_block_in_its_place(tmp_path: Path) -> None:
    """By QEMU's driver: libvhdi (20260901) takes the bitmap entry after a chunk for a block."""
    path = tmp_path / "a.vhdx"
    Disks().create(path, SIZE, "Fixed")
    size = (vhdx_layout.CHUNK + 3) * MiB
    Disks().resize(path, size)
    write(path, 5, size - 65536)
    assert qemu_says(path) == size
    io = ("qemu-io", "-r", "-f", "vhdx", "-c", f"read -P 5 {size - 65536} 64k", str(path))
    done = subprocess.run(io, check=True, capture_output=True, text=True)
    assert "verification failed" not in done.stdout


def test_both_headers_are_renewed_and_one_alone_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "a.vhdx"
    vhdx.create(path, SIZE)
    first = vhdx.read(path).header
    vhdx.grow(path, 2 * SIZE)
    grown = vhdx.read(path)
    assert grown.header.sequence == first.sequence + 2
    assert grown.header.file_write != first.file_write
    current = next(at for at in vhdx_layout.HEADERS if at != grown.spare)
    with path.open("r+b") as file:
        file.seek(current)
        file.write(b"torn")
    left = vhdx.read(path)
    assert (left.size, left.header.sequence) == (2 * SIZE, first.sequence + 1)
    assert qemu_says(path) == 2 * SIZE


def test_an_odd_end_is_kept_exactly(tmp_path: Path) -> None:
    path = tmp_path / "a.vhdx"
    made = Disks().create(path, SIZE + 512, "Fixed")
    assert made.virtual_size == qemu_says(path) == SIZE + 512
    assert made.payload is not None
    assert not made.payload.open_end


@both
def test_a_damaged_disk_is_said_so(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Disks().create(path, SIZE, "Fixed")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 512)
    with pytest.raises(MachineError, match=r"footer|ends before"):
        Disks().check(path)
    path.write_bytes(b"no disk at all" * 100)
    with pytest.raises(MachineError):
        Disks().check(path)


def test_a_table_that_scatters_the_payload_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.vhdx"
    vhdx.create(path, SIZE)
    found = vhdx.read(path)
    with path.open("r+b") as file:
        file.seek(found.table[0])
        file.write((found.payload + MiB | vhdx_layout.FULLY_PRESENT).to_bytes(8, "little"))
    with pytest.raises(vhdx_layout.NotVhdx, match="one piece"):
        vhdx.read(path)


def test_a_footer_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.vhd"
    vhd.create(path, SIZE)
    with path.open("r+b") as file:
        file.seek(SIZE + 30)
        file.write(b"x")
    with pytest.raises(vhd.NotVhd, match="damaged"):
        vhd.read(path)


def test_a_child_over_a_fixed_disk_reads_it_and_is_merged_into_it(tmp_path: Path) -> None:
    parent, child = tmp_path / "p.vhdx", tmp_path / "c.avhdx"
    disks = Disks()
    disks.create(parent, SIZE, "Fixed")
    write(parent, 3, 0)
    assert disks.create(child, kind="Differencing", parent=parent).parent == parent
    io = ("qemu-io", "-f", "qcow2", "-c", "read -P 3 0 64k", "-c", "write -P 4 1M 64k", str(child))
    done = subprocess.run(io, check=True, capture_output=True, text=True)
    assert "verification failed" not in done.stdout
    assert disks.commit(child) == parent
    assert libvhdi_reads(parent, MiB) == bytes([4]) * 65536
    moved = tmp_path / "m.vhdx"
    parent.rename(moved)
    disks.reparent(child, moved)
    assert disks.info(child).parent == moved
    assert disks.convert(child, tmp_path / "copy.vhdx").virtual_size == SIZE
