"""Refused resizes, and what a restart leaves of a grown disk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.checks.expansion import HostDisk, Space
from harness.checks.resizing import Condition, below_minimum, judge_lasting, judge_refused
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.host.session import Attempt, Refusal, RefusedBy
from harness.units import Bytes, GiB, MiB
from harness.verdict import Outcome

PROOF = (Evidence("asked", "answered", "where"),)
RESIZE = "Microsoft.Vhd.PowerShell.Cmdlets.ResizeVhd"
KEPT = {"/mnt/kept-0": "a" * 64}


def disk(size: Bytes, minimum: Bytes | None = None) -> Measured[HostDisk]:
    return Measured(HostDisk(size, minimum, "Fixed"), PROOF)


def condition(size: Bytes = 96 * MiB, space: Bytes = 80 * MiB) -> Condition:
    return Condition(
        disk(size), Measured(size, PROOF), Measured(Space(space, 9 * MiB), PROOF),
        Measured(KEPT, PROOF),
    )  # fmt: skip


def refusal(kind: str = "NotSupported", by: RefusedBy = RefusedBy.CMDLET) -> Attempt:
    return Attempt(Refusal(by, f"{kind},{RESIZE}"), PROOF)


def judged(attempt: Attempt, after: Condition) -> tuple[Outcome, str]:
    verdict = judge_refused(192 * MiB, attempt, condition(), after)
    return verdict.outcome, verdict.because


def test_a_refusal_that_changes_nothing_passes() -> None:
    outcome, because = judged(refusal(), condition())
    assert outcome is Outcome.PASS
    assert f"NotSupported,{RESIZE}" in because


def test_an_accepted_resize_fails() -> None:
    outcome, because = judged(Attempt(None, PROOF), condition(192 * MiB))
    assert outcome is Outcome.FAIL
    assert "the host resized the disk to 192 MiB" in because
    assert "the host's size was 96 MiB, now 192 MiB" in because


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (replace(condition(), host=disk(192 * MiB)), "the host's size"),
        (replace(condition(), capacity=Measured(192 * MiB, PROOF)), "the guest's capacity"),
        (condition(space=100 * MiB), "the file system's size"),
        (
            replace(condition(), files=Measured({"/mnt/kept-0": "b" * 64}, PROOF)),
            "changed or lost since they were written: /mnt/kept-0",
        ),
        (replace(condition(), files=Measured({}, PROOF)), "changed or lost"),
    ],
)
def test_a_refusal_that_changed_something_fails(after: Condition, words: str) -> None:
    outcome, because = judged(refusal(), after)
    assert outcome is Outcome.FAIL
    assert words in because


@pytest.mark.parametrize(
    "attempt",
    [
        refusal("AccessDenied"),
        refusal("ObjectNotFound"),
        refusal("Unavailable"),
        refusal("OutOfMemory"),
        refusal("ParameterArgumentTransformationError", RefusedBy.BINDING),
    ],
)
def test_trouble_of_another_kind_is_no_refusal(attempt: Attempt) -> None:
    with pytest.raises(EvidenceError, match="refusal of the resize"):
        judged(attempt, condition())


def test_half_of_the_least_is_below_it() -> None:
    assert below_minimum(disk(96 * MiB, 94 * MiB + Bytes(512))) == 47 * MiB


@pytest.mark.parametrize("minimum", [None, 2 * MiB, 1 * MiB])
def test_a_host_that_names_no_least_size_is_an_error(minimum: Bytes | None) -> None:
    with pytest.raises(EvidenceError, match="MinimumSize"):
        below_minimum(disk(96 * MiB, minimum))


GROWN = condition(2 * GiB, 2000 * MiB)


def lasting(after: Condition, *, good: bool = True) -> tuple[Outcome, str]:
    verdict = judge_lasting(2 * GiB, Measured(good, PROOF), GROWN, after)
    return verdict.outcome, verdict.because


def test_a_disk_that_stays_as_it_was_passes() -> None:
    assert lasting(GROWN)[0] is Outcome.PASS


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (replace(GROWN, host=disk(1 * GiB)), "the host shows 1024 MiB and the guest 2048 MiB"),
        (replace(GROWN, capacity=Measured(1 * GiB, PROOF)), "and the guest 1024 MiB, not 2048"),
        (
            replace(GROWN, space=Measured(Space(974 * MiB, 9 * MiB), PROOF)),
            "df showed 2000 MiB before the stop, now 974 MiB",
        ),
        (replace(GROWN, files=Measured({}, PROOF)), "changed or lost"),
    ],
)
def test_what_did_not_last_fails(after: Condition, words: str) -> None:
    outcome, because = lasting(after)
    assert outcome is Outcome.FAIL
    assert words in because


def test_a_disk_that_the_host_finds_broken_fails() -> None:
    outcome, because = lasting(GROWN, good=False)
    assert outcome is Outcome.FAIL
    assert "Test-VHD does not accept" in because


def test_without_files_from_before_nothing_is_proved() -> None:
    empty = replace(GROWN, files=Measured({}, PROOF))
    with pytest.raises(EvidenceError, match="file written before"):
        judge_lasting(2 * GiB, Measured(value=True, evidence=PROOF), empty, GROWN)


def test_a_size_below_the_minimum_is_half_of_it_in_whole_mib() -> None:
    assert below_minimum(disk(96 * MiB, 7 * MiB)) == 3 * MiB
    assert below_minimum(disk(96 * MiB, 3 * MiB)) == 1 * MiB


@pytest.mark.parametrize("proof", [(), PROOF])
@pytest.mark.parametrize("minimum", [None, 2 * MiB])
def test_a_disk_without_a_minimum_is_an_error(
    minimum: Bytes | None, proof: tuple[Evidence, ...]
) -> None:
    bare = Measured(HostDisk(96 * MiB, minimum, "Fixed"), proof)
    with pytest.raises(EvidenceError) as told:
        below_minimum(bare)
    length = len(proof[0].answer) if proof else 0
    said = f"Get-VHD: no MinimumSize of a disk with a partition in {length} characters of output"
    assert str(told.value) == said
