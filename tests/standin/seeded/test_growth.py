"""What the faults of growing disks do to files and machines."""

from __future__ import annotations

import random

import pytest

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
    ],
)
def test_a_growing_disk_is_broken_in_just_that_way(
    broken: Broken, faults: tuple[str, ...], found: tuple[int, int, int]
) -> None:
    assert grown(broken(*faults)) == found
