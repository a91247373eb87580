"""Growths as recorded: those that pass, and those that fail for one reason each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.checks import disks, expansion, workload
from harness.checks.disk_free import parse_df
from harness.checks.expansion import Growth, HostDisk, Moment, Space, judge_growth, space_of
from harness.checks.storage import Storage, parse_storage
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.host.session import Attempt, Refusal, RefusedBy
from harness.units import Bytes, GiB, MiB
from harness.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from tests.checks.conftest import Recording

FOLDER = "expansion"
PROOF = (Evidence("asked", "answered", "where"),)
KEPT = {"/mnt/hvcert-hv-bare/kept-0": "a" * 64}


def growth_of(recording: Recording) -> Growth:
    """Build a growth from its recorded texts; ``host_mib`` is what the host showed afterwards."""
    mount = f"/mnt/{'hvcert-hv-gpt' if recording.given['partition'] else 'hvcert-hv-bare'}"
    host = HostDisk(recording.given["host_mib"] * MiB, None, "Fixed")
    measured = recording.measured
    rescan = "capacity after a rescan"
    return Growth(
        disk=f"sd{chr(ord('a') + recording.given['disk'])}",
        start=1 * GiB,
        asked=2 * GiB,
        attempt=Attempt(None, PROOF),
        host=Measured(host, PROOF),
        seen=measured("capacity", disks.parse_sectors),
        rescanned=measured(rescan, disks.parse_sectors) if rescan in recording.sections else None,
        space_before=space_of(mount, measured("df before", parse_df)),
        space_after=space_of(mount, measured("df after", parse_df)),
        tool=measured("growing tool", parse_storage),
        begin=_moment(recording, "before"),
        end=_moment(recording, "after"),
        work=measured("fio", workload.parse_fio),
        fill=measured("fio fill", workload.parse_fio),
        space_full=space_of(mount, measured("df full", parse_df)),
        before=measured("sha256sum before", disks.parse_checksums),
        after=measured("sha256sum after", disks.parse_checksums),
        sound=Measured(not recording.given["checker_status"], PROOF),
        log=measured("dmesg", parse_storage),
    )


def _moment(recording: Recording, when: str) -> Moment:
    return Moment(
        recording.measured(f"unit {when}", workload.parse_unit),
        recording.measured(f"stat {when}", disks.parse_written),
    )


def test_growths_are_judged_as_recorded(recording: Recording, outcome: str) -> None:
    if outcome == "error":
        with pytest.raises(EvidenceError):
            judge_growth(growth_of(recording))
    else:
        verdict = judge_growth(growth_of(recording))
        assert verdict.outcome.value == outcome, verdict.because


def measured(value: Bytes) -> Measured[Bytes]:
    return Measured(value, PROOF)


def space(size: Bytes, used: Bytes) -> Measured[Space]:
    return Measured(Space(size, used), PROOF)


def moment(written: Bytes, *, active: bool = True) -> Moment:
    return Moment(Measured(workload.Unit(active, "success"), PROOF), measured(written))


def fio(error: int = 0, verified: Bytes = 300 * MiB) -> Measured[workload.Fio]:
    return Measured(workload.Fio(error, 310 * MiB, verified), PROOF)


QUIET: Measured[Storage] = Measured(Storage((), (), "grown"), PROOF)
GOOD = Growth(
    disk="sdb",
    start=1 * GiB,
    asked=2 * GiB,
    attempt=Attempt(None, PROOF),
    host=Measured(HostDisk(2 * GiB, None, "Fixed"), PROOF),
    seen=measured(2 * GiB),
    rescanned=None,
    space_before=space(974 * MiB, 500 * MiB),
    space_after=space(1990 * MiB, 600 * MiB),
    tool=QUIET,
    begin=moment(500 * MiB),
    end=moment(540 * MiB),
    work=fio(),
    fill=fio(),
    space_full=space(1990 * MiB, 1110 * MiB),
    before=Measured(KEPT, PROOF),
    after=Measured(KEPT, PROOF),
    sound=Measured(value=True, evidence=PROOF),
    log=QUIET,
)
REFUSED = Attempt(Refusal(RefusedBy.CMDLET, "NotSupported,Microsoft.Vhd.X"), PROOF)
TWO_CHANGED = Measured({"/a": "0", "/c": "3"}, PROOF)
FAULTS = [
    ({"attempt": REFUSED}, "the host refused to grow the disk to 2048 MiB [NotSupported"),
    ({"host": Measured(HostDisk(1 * GiB, None, "Fixed"), PROOF)}, "the host shows 1024 MiB"),
    (
        {"seen": measured(1 * GiB), "rescanned": measured(2 * GiB)},
        "still sees 1024 MiB on sdb after 60 s: it sees 2048 MiB only after a rescan",
    ),
    (
        {"seen": measured(1 * GiB), "rescanned": measured(1 * GiB)},
        "and 1024 MiB after a rescan",
    ),
    ({"space_after": space(974 * MiB, 600 * MiB)}, "did not grow with its disk: df showed 974 MiB"),
    ({"space_after": space(1895 * MiB, 600 * MiB)}, "did not grow with its disk"),
    ({"work": fio(84)}, "the workload met error 84 (what was read is not what was written)"),
    ({"work": fio(5)}, "the workload met error 5 (I/O error)"),
    ({"end": moment(540 * MiB, active=False)}, "the workload ended by itself with error 0"),
    ({"fill": fio(28)}, "writing into the new space met error 28 (no space left)"),
    ({"space_full": space(1990 * MiB, 1024 * MiB)}, "only 1024 MiB can be used"),
    ({"after": Measured({"/mnt/hvcert-hv-bare/kept-0": "b" * 64}, PROOF)}, "changed or lost"),
    ({"sound": Measured(value=False, evidence=PROOF)}, "the file system's checker found trouble"),
    ({"log": Measured(Storage((), ("sdb",), None), PROOF)}, "the kernel logged I/O errors of sdb"),
    (
        {"log": Measured(Storage((), ("sdb", "sdb1"), None), PROOF)},
        "the kernel logged I/O errors of sdb, sdb1",
    ),
    (
        {"tool": Measured(Storage((), (), None), PROOF), "space_after": space(974 * MiB, 0 * MiB)},
        "df showed 974 MiB, now 974 MiB (the growing command's result: none that is known)",
    ),
    ({"work": fio(30)}, "the workload met error 30 (read-only file system)"),
    ({"work": fio(7)}, "the workload met error 7 (errno)"),
    (
        {"before": Measured({"/a": "1", "/b": "2", "/c": "3"}, PROOF), "after": TWO_CHANGED},
        "changed or lost since they were written: /a, /b",
    ),
    (
        {"sound": Measured(value=False, evidence=(Evidence("e2fsck", "1\n2\n3\n4\n"),))},
        "the file system's checker found trouble: 2 / 3 / 4",
    ),
]


def judged(**changes: object) -> Verdict:
    return judge_growth(replace(GOOD, **changes))  # type: ignore[arg-type]  # told apart by name


def test_a_growth_that_lost_nothing_passes() -> None:
    verdict = judged()
    assert verdict.outcome is Outcome.PASS
    assert "from 1024 MiB to 2048 MiB without a rescan" in verdict.because
    assert "with the file system grown by hand" in verdict.because


@pytest.mark.parametrize(("changes", "words"), FAULTS, ids=[words for _, words in FAULTS])
def test_each_defect_fails_by_itself(changes: dict[str, object], words: str) -> None:
    verdict = judged(**changes)
    assert verdict.outcome is Outcome.FAIL
    assert words in verdict.because
    assert verdict.because.count(";") == 0, "by itself"


def test_a_growth_of_exactly_nine_tenths_is_enough() -> None:
    tenth = GOOD.start.count // 10 * 10  # so that nine tenths are whole bytes
    asked = Bytes(GOOD.start.count + tenth)
    least = Bytes((974 * MiB).count + tenth // 10 * 9)
    grown = judged(
        asked=asked,
        host=Measured(HostDisk(asked, None, "Fixed"), PROOF),
        seen=measured(asked),
        space_after=space(least, 600 * MiB),
    )
    assert grown.outcome is Outcome.PASS


def test_a_single_byte_over_the_growth_is_a_write() -> None:
    one = moment(Bytes(GOOD.begin.written.value.count + 1))
    assert judged(end=one).outcome is Outcome.PASS


def test_errors_of_another_disk_are_not_this_disks() -> None:
    assert judged(log=Measured(Storage((), ("sda",), None), PROOF)).outcome is Outcome.PASS


def test_the_least_that_df_must_show_is_nine_tenths_of_the_new_space() -> None:
    least = 974 * MiB + Bytes(9 * GiB.count // 10 + 1)
    assert judged(space_after=space(least, 600 * MiB)).outcome is Outcome.PASS
    assert judged(space_after=space(least - Bytes(2), 600 * MiB)).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "changes",
    [
        {"space_before": space(974 * MiB, 487 * MiB)},
        {"begin": moment(500 * MiB, active=False)},
        {"end": moment(500 * MiB)},
        {"work": fio(0, 0 * MiB)},
        {"before": Measured({}, PROOF)},
    ],
)
def test_a_growth_that_proves_nothing_is_an_error(changes: dict[str, object]) -> None:
    with pytest.raises(EvidenceError):
        judged(**changes)


def test_a_workload_that_broke_needs_no_further_write_to_fail() -> None:
    verdict = judged(work=fio(5, 0 * MiB), end=moment(500 * MiB, active=False))
    assert verdict.outcome is Outcome.FAIL


@pytest.mark.parametrize("text", ["Filesystem 1K-blocks Used Available Use% Mounted on\n"])
def test_a_file_system_that_df_does_not_show_is_an_error(text: str) -> None:
    with pytest.raises(EvidenceError, match="row with sizes"):
        space_of("/mnt/x", Measured(parse_df(text), PROOF))


def test_half_is_not_above_half() -> None:
    assert not expansion.half_used(Space(974 * MiB, 487 * MiB))
    assert expansion.half_used(Space(974 * MiB, 488 * MiB))
