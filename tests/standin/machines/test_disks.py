"""Disk files made and merged by the real qemu-img."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.standin.disks import Disks
from harness.standin.machines import MachineError
from harness.standin.store import DiskStore

MiB = 1 << 20
SIZE = 16 * MiB


@pytest.fixture
def disks() -> Disks:
    return Disks()


def write(disk: Path, byte: int, at: int) -> None:
    """Write 64 KiB of one byte into a disk, as a guest would."""
    command = ("qemu-io", "-f", "qcow2", "-c", f"write -P {byte} {at} 64k", str(disk))
    subprocess.run(command, check=True, capture_output=True)


def holds(disk: Path, byte: int, at: int) -> bool:
    command = ("qemu-io", "-r", "-f", "qcow2", "-c", f"read -P {byte} {at} 64k", str(disk))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and "verification failed" not in done.stdout


def test_disks_satisfy_the_store(disks: Disks) -> None:
    store: DiskStore = disks
    assert store is disks


@pytest.mark.parametrize("kind", ["Fixed", "Dynamic"])
def test_a_disk_remembers_its_size_and_kind(disks: Disks, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a b, c.vhdx"
    made = disks.create(path, SIZE, kind)
    assert (made.kind, made.virtual_size, made.parent) == (kind, SIZE, None)
    assert (made.file_size >= SIZE) is (kind == "Fixed")
    assert disks.info(path) == made
    disks.check(path)


def test_a_full_dynamic_disk_is_still_dynamic(disks: Disks, tmp_path: Path) -> None:
    path = tmp_path / "a.vhdx"
    disks.create(path, MiB)
    for at in range(0, MiB, 64 << 10):
        write(path, 7, at)
    assert disks.info(path).file_size > MiB
    assert disks.info(path).kind == "Dynamic"


def test_a_differencing_disk_takes_its_parents_size(disks: Disks, tmp_path: Path) -> None:
    parent = disks.create(tmp_path / "p.vhdx", SIZE).path
    child = disks.create(tmp_path / "c.avhdx", kind="Differencing", parent=parent)
    assert (child.kind, child.virtual_size, child.parent) == ("Differencing", SIZE, parent)


def test_a_raw_file_is_as_good_as_fixed(disks: Disks, tmp_path: Path) -> None:
    path = tmp_path / "a.img"
    path.write_bytes(bytes(MiB))
    assert (disks.info(path).kind, disks.info(path).format) == ("Fixed", "raw")
    disks.check(path)


def test_a_copy_has_the_content_of_the_whole_chain(disks: Disks, tmp_path: Path) -> None:
    parent, child, copy = (tmp_path / name for name in ("p.vhdx", "c.avhdx", "x.vhdx"))
    disks.create(parent, SIZE)
    write(parent, 1, 0)
    disks.create(child, kind="Differencing", parent=parent)
    write(child, 2, MiB)
    assert disks.convert(child, copy, "Fixed").kind == "Fixed"
    assert disks.info(copy).parent is None
    assert holds(copy, 1, 0)
    assert holds(copy, 2, MiB)


def test_a_merge_puts_the_childs_content_into_its_parent(disks: Disks, tmp_path: Path) -> None:
    parent, child = tmp_path / "p.vhdx", tmp_path / "c.avhdx"
    disks.create(parent, SIZE)
    disks.create(child, kind="Differencing", parent=parent)
    write(child, 5, 0)
    assert disks.commit(child) == parent
    assert holds(parent, 5, 0)
    assert child.exists()


def test_a_template_is_never_written(disks: Disks, tmp_path: Path) -> None:
    template, child = tmp_path / "t.vhdx", tmp_path / "c.avhdx"
    disks.create(template, SIZE)
    template.chmod(0o444)
    disks.create(child, kind="Differencing", parent=template)
    write(child, 5, 0)
    before = template.read_bytes()
    with pytest.raises(MachineError, match=r"t\.vhdx: the disk is read-only"):
        disks.commit(child)
    with pytest.raises(MachineError, match="read-only"):
        disks.resize(template, 2 * SIZE)
    assert template.read_bytes() == before


def test_a_moved_parent_is_found_again(disks: Disks, tmp_path: Path) -> None:
    parent, child = tmp_path / "p.vhdx", tmp_path / "c.avhdx"
    disks.create(parent, SIZE)
    write(parent, 9, 0)
    disks.create(child, kind="Differencing", parent=parent)
    moved = parent.rename(tmp_path / "moved.vhdx")
    disks.reparent(child, moved)
    assert disks.info(child).parent == moved
    assert holds(child, 9, 0)


def test_a_rebased_disk_reads_as_before(disks: Disks, tmp_path: Path) -> None:
    base, middle, child = (tmp_path / name for name in ("b.vhdx", "m.avhdx", "c.avhdx"))
    disks.create(base, SIZE)
    disks.create(middle, kind="Differencing", parent=base)
    write(middle, 3, 0)
    disks.create(child, kind="Differencing", parent=middle)
    disks.rebase(child, base)
    middle.unlink()
    assert disks.info(child).parent == base
    assert holds(child, 3, 0)


def test_a_fixed_disk_grows_and_is_not_made_smaller(disks: Disks, tmp_path: Path) -> None:
    path = disks.create(tmp_path / "a.vhdx", SIZE, "Fixed").path
    assert disks.resize(path, 2 * SIZE).virtual_size == 2 * SIZE
    with pytest.raises(MachineError, match="not made smaller"):
        disks.resize(path, SIZE)


def test_a_disk_grows_and_shrinks(disks: Disks, tmp_path: Path) -> None:
    path = disks.create(tmp_path / "a.vhdx", SIZE).path
    assert disks.resize(path, 2 * SIZE).virtual_size == 2 * SIZE
    assert disks.resize(path, SIZE).virtual_size == SIZE
    assert disks.info(path).kind == "Dynamic"


def test_a_file_that_exists_is_not_overwritten(disks: Disks, tmp_path: Path) -> None:
    path = disks.create(tmp_path / "a.vhdx", SIZE).path
    with pytest.raises(MachineError, match="exists already"):
        disks.create(path, SIZE)
    with pytest.raises(MachineError, match="exists already"):
        disks.convert(path, path)


def test_a_failed_creation_leaves_no_file(disks: Disks, tmp_path: Path) -> None:
    path = tmp_path / "a.vhdx"
    with pytest.raises(MachineError, match=r"a\.vhdx: .*too large"):
        disks.create(path, 1 << 62)
    assert list(tmp_path.iterdir()) == []


def test_a_fixed_disk_that_does_not_fit_is_refused_at_once(disks: Disks, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="1099511627776 MiB are wanted"):
        disks.create(tmp_path / "a.vhdx", 1 << 60, "Fixed")
    small = disks.create(tmp_path / "b.vhdx", SIZE, "Fixed")
    with pytest.raises(MachineError, match="are free"):
        disks.resize(small.path, 1 << 60)
    large = disks.create(tmp_path / "c.vhdx", 1 << 50)
    with pytest.raises(MachineError, match="are free"):
        disks.convert(large.path, tmp_path / "d.vhdx", "Fixed")
    with pytest.raises(MachineError, match="No such file"):
        disks.create(tmp_path / "missing" / "e.vhdx", SIZE, "Fixed")
    assert {p.name for p in tmp_path.iterdir()} == {"b.vhdx", "c.vhdx"}


def test_a_disk_of_no_known_kind_is_refused(disks: Disks, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="not Elastic"):
        disks.create(tmp_path / "a.vhdx", SIZE, "Elastic")
    with pytest.raises(MachineError, match="needs a parent"):
        disks.create(tmp_path / "a.vhdx", SIZE, "Differencing")


def test_a_file_that_is_missing_or_damaged_is_an_error(disks: Disks, tmp_path: Path) -> None:
    path = tmp_path / "a.vhdx"
    with pytest.raises(MachineError, match=r"a\.vhdx: .*No such file"):
        disks.info(path)
    disks.create(path, SIZE)
    write(path, 1, 0)
    with path.open("r+b") as file:
        file.seek(2 * (64 << 10))
        file.write(b"\xff" * (64 << 10))  # the first block of reference counts, or of the map
    with pytest.raises(MachineError, match=r"a\.vhdx"):
        disks.check(path)


def test_a_missing_qemu_img_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"no-such-qemu-img is missing; install .*qemu-utils"):
        Disks("no-such-qemu-img").create(tmp_path / "a.vhdx", SIZE)
