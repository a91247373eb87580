"""Live disk expansion: a mounted disk grows under load, and what may not be resized is refused."""

from __future__ import annotations

import pytest

from harness.bench import Bench, Certify
from harness.checks import bounds
from harness.checks.expansion import judge_growth
from harness.checks.file_systems import EXT4, XFS, FileSystem
from harness.checks.resizing import REFUSALS, judge_lasting
from harness.expansion import Volume, formatted, grown, plugged_in
from harness.resizing import refusals
from harness.verdict import all_of

pytestmark = pytest.mark.feature("Live disk expansion")
LAYOUTS = ("bare disk", "GPT partition")


@pytest.mark.saved_state
@pytest.mark.case("VHD-01", "VHD-04", parameters=LAYOUTS)
def test_a_mounted_disk_grows_under_a_verifying_workload(bench: Bench, certify: Certify) -> None:
    volumes = _grow_each(bench, certify, EXT4)
    before = [volume.condition() for volume in volumes]
    bench.stop()
    good = [volume.drive.good() for volume in volumes]
    guest = bench.boot()
    verdicts = []
    for volume, was, valid in zip(volumes, before, good, strict=True):
        volume.boots(guest)
        verdicts.append(judge_lasting(bounds.EXPANSION_TO, valid, was, volume.condition()))
    certify(all_of(verdicts[0].because, *verdicts), case="VHD-04")


@pytest.mark.saved_state
@pytest.mark.case("VHD-02", parameters=LAYOUTS)
def test_a_mounted_xfs_grows_under_a_verifying_workload(bench: Bench, certify: Certify) -> None:
    _grow_each(bench, certify, XFS)


def _grow_each(bench: Bench, certify: Certify, file_system: FileSystem) -> list[Volume]:
    guest = bench.boot()
    bench.needs_programs("fio", *file_system.programs)
    volumes = []
    for layout in LAYOUTS:
        label = layout.split()[0].lower()
        drive, disk = plugged_in(bench, guest, f"{label}.vhdx", bounds.EXPANSION_FROM)
        volume = formatted(
            guest, bench, drive, disk, f"hv-{label}", file_system, partitioned=layout != LAYOUTS[0]
        )
        certify(judge_growth(grown(bench, volume)), layout)
        volumes.append(volume)
    return volumes


@pytest.mark.case("VHD-03", parameters=REFUSALS)
def test_a_disk_that_cannot_be_resized_while_the_machine_runs_stays_as_it_is(
    bench: Bench, certify: Certify
) -> None:
    for parameter, verdict in refusals(bench):
        certify(verdict, parameter)
