"""What the faults of growing disks do to files and machines."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from harness.standin.disks import Disks
from harness.standin.seeded import growth
from tests.standin.hyperv.bench import Bench
from tests.standin.hyperv.test_resize import SIZE, size_of, with_disk
from tests.standin.seeded.conftest import Broken


def grown(bench: Bench) -> tuple[object, int, int]:
    """Grow a data disk; return host's size, growths that were announced, bytes that changed."""
    path = with_disk(bench)
    local = bench.host.local(path)
    payload = bench.host.disks.info(local).payload
    assert payload is not None
    data = random.Random(1).randbytes(1 << 16)  # noqa: S311  # no secret
    with local.open("r+b") as file:
        file.seek(payload.offset + (1 << 20))
        file.write(data)
    assert bench.call("Resize-VHD", Path=[path], SizeBytes=2 * SIZE).errors == []
    with local.open("rb") as file:
        file.seek(payload.offset + (1 << 20))
        now = file.read(len(data))
    changed = sum(a != b for a, b in zip(data, now, strict=True))
    return size_of(bench, path), len(bench.machines.grown), changed


@pytest.mark.parametrize(
    ("faults", "found"),
    [
        ((), (2 * SIZE, 1, 0)),
        (("disk-growth-unannounced",), (2 * SIZE, 0, 0)),
        (("disk-resize-does-nothing",), (SIZE, 0, 0)),
        (("disk-byte-flipped",), (2 * SIZE, 1, 1)),
        (("resize-in-metadata-only",), (2 * SIZE, 0, 0)),
        (("resize-of-wrong-disk",), (SIZE, 0, 0)),
    ],
)
def test_a_growing_disk_is_broken_in_just_that_way(
    broken: Broken, faults: tuple[str, ...], found: tuple[int, int, int]
) -> None:
    assert grown(broken(*faults)) == found


def test_what_the_host_shows_of_a_disk_is_not_what_its_file_is(broken: Broken) -> None:
    sizes = {}
    for fault in ("resize-in-metadata-only", "resize-of-wrong-disk"):
        bench = broken(fault)
        grown(bench)
        files = bench.host.local("C:\\d").iterdir()
        sizes[fault] = {path.name: Disks().info(path).virtual_size for path in files}
    assert sizes == {
        "resize-in-metadata-only": {"x.vhdx": SIZE},
        "resize-of-wrong-disk": {"x.vhdx": SIZE, "x-other.vhdx": 2 * SIZE},
    }


def test_the_byte_that_is_changed_is_none_of_the_workload_which_checks_its_own(
    tmp_path: Path,
) -> None:
    data = random.Random(2).randbytes(2 << 20)  # noqa: S311  # no secret
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20) + growth.FIO_MAGIC[1] + data[2:])
    growth._flip(disk, 0)  # noqa: SLF001  # what is planted
    now = disk.read_bytes()[1 << 20 :]
    (changed,) = [at for at in range(2, len(data)) if now[at] != data[at]]
    assert changed == growth.FIO_BLOCK + 7


def test_a_resize_that_is_refused_is_called_done_and_is_not(broken: Broken) -> None:
    bench = broken("resize-limits-unchecked")
    path = with_disk(bench)
    heard = bench.call("Resize-VHD", Path=[path], SizeBytes=SIZE // 2)
    assert (heard.errors, size_of(bench, path), bench.machines.grown) == ([], SIZE, [])
    assert bench.call("Resize-VHD", Path=[path], SizeBytes=2 * SIZE).errors == []
    assert (size_of(bench, path), len(bench.machines.grown)) == (2 * SIZE, 1)
