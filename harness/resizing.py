"""Tries every resize that a host must refuse while its VM runs, each on a disk of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.checks import disks
from harness.checks.file_systems import EXT4
from harness.checks.resizing import (
    BELOW_MINIMUM,
    IDE,
    PARENT,
    SHRUNK_VHD,
    VHD,
    below_minimum,
    judge_refused,
)
from harness.deadline import wait_for
from harness.expansion import APPEARS, EVERY, Volume, formatted, new_drive, plugged_in
from harness.host.lifecycle import drop_checkpoint
from harness.units import Bytes, MiB
from harness.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from harness.bench import Bench, GuestUnderTest

SMALL = 96 * MiB
IDE_SIZE = 104 * MiB
"""Its own, so that the guest's disk is known by it: it is there when the guest boots."""

CHECKPOINT = "hvcert resize"


def refusals(bench: Bench) -> Iterator[tuple[str, Verdict]]:
    """Boot a guest with such disks; yield the name and the verdict of each refusal."""
    generation = bench.vm.generation()
    ide = new_drive(bench, "ide.vhdx", IDE_SIZE, "IDE") if generation.value == 1 else None
    guest = bench.boot()
    bench.needs_programs(*EXT4.programs)
    if ide is None:
        because = f"Generation {generation.value} has no IDE controller"
        yield IDE, Verdict(Outcome.NOT_APPLICABLE, because, generation.evidence)
    else:
        disk = wait_for("the IDE disk", lambda: _sized(guest, IDE_SIZE), APPEARS, every=EVERY)
        volume = formatted(guest, bench, ide, disk, "hv-ide", EXT4, partitioned=False)
        yield IDE, _tried(volume, 2 * IDE_SIZE)
    old = _volume(bench, guest, "old.vhd", partitioned=False)
    yield VHD, _tried(old, 2 * SMALL)
    yield SHRUNK_VHD, _tried(old, SMALL // (2 * MiB) * MiB)
    small = _volume(bench, guest, "small.vhdx", partitioned=True)
    yield BELOW_MINIMUM, _tried(small, below_minimum(small.drive.look()))
    parent = _volume(bench, guest, "parent.vhdx", partitioned=False)
    bench.closing.callback(drop_checkpoint, bench.vm, CHECKPOINT, parent.drive.path)
    bench.vm.checkpoint_with_memory(CHECKPOINT, bench.build)
    bench.story.append("took a checkpoint of the running VM")
    yield PARENT, _tried(parent, 2 * SMALL)


def _sized(guest: GuestUnderTest, size: Bytes) -> str | None:
    return disks.new_disk({}, guest.measure(disks.DISKS).value, size)


def _volume(bench: Bench, guest: GuestUnderTest, name: str, *, partitioned: bool) -> Volume:
    drive, disk = plugged_in(bench, guest, name, SMALL)
    label = f"hv-{name.split('.')[0]}"
    return formatted(guest, bench, drive, disk, label, EXT4, partitioned=partitioned)


def _tried(volume: Volume, asked: Bytes) -> Verdict:
    before = volume.condition()
    attempt = volume.drive.attempt_resize(asked)
    return judge_refused(asked, attempt, before, volume.condition())
