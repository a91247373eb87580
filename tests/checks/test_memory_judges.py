"""Each verdict on dynamic memory, on recorded samples: on both sides of each bound.

The name of a recording is JUDGE.WHAT.OUTCOME.txt; ``tests/recorded/SOURCES.md`` says where it is
from.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.checks import memory_judges as judges
from harness.checks.kernel_log import parse_kernel_log
from harness.checks.memory import parse_offline, parse_samples
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.units import GiB, MiB
from harness.verdict import Verdict
from tests.checks.conftest import RECORDED, Recording

FILES = sorted((RECORDED / "memory").glob("*.txt"))
BLOCK = 128 * MiB
NEW, OLD = "6.1.0-56-cloud-amd64", "5.10.0-32-amd64"


def samples(found: Recording, name: str = "samples") -> judges.Samples:
    return found.measured(name, parse_samples)


def release(found: Recording) -> str:
    return OLD if found.given.get("release") == 5 else NEW


def starved(found: Recording) -> Verdict:
    logs = (
        found.measured("kernel log before", parse_kernel_log),
        found.measured("kernel log after", parse_kernel_log),
    )
    return judges.judge_starved(samples(found), samples(found, "samples after"), logs, 20, BLOCK)


def resumed(found: Recording) -> Verdict:
    peak = found.given["peak"] * MiB
    return judges.judge_resumed(samples(found), samples(found, "samples after"), peak, BLOCK)


JUDGES: dict[str, Callable[[Recording], Verdict]] = {
    "hot-add": lambda f: judges.judge_hot_add(
        samples(f), f.measured("blocks", parse_offline), BLOCK
    ),
    "balloon": lambda f: judges.judge_balloon(samples(f), BLOCK, release(f)),
    "minimum": lambda f: judges.judge_minimum(samples(f), 512 * MiB, BLOCK),
    "maximum": lambda f: judges.judge_maximum(samples(f), 1280 * MiB, 20),
    "agreement": lambda f: judges.judge_agreement(samples(f), BLOCK, release(f)),
    "resumed": resumed,
    "starved": starved,
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recording_is_judged_as_its_name_says(
    path: Path, read_recording: Callable[[Path], Recording]
) -> None:
    judge, *_, outcome = path.stem.split(".")
    found = read_recording(path)
    if outcome == "error":
        with pytest.raises(EvidenceError):
            JUDGES[judge](found)
        return
    verdict = JUDGES[judge](found)
    assert verdict.outcome.value == outcome, verdict.because
    assert verdict.evidence


def test_every_judge_has_recordings_that_pass_and_that_fail() -> None:
    seen = {(path.stem.split(".")[0], path.stem.split(".")[-1]) for path in FILES}
    assert {(judge, outcome) for judge in JUDGES for outcome in ("pass", "fail")} <= seen


def test_offline_memory_is_named_as_the_reason() -> None:
    path = RECORDED / "memory" / "hot-add.synthetic-offline.fail.txt"
    from tests.checks.conftest import read

    assert "hot-added memory stays offline" in JUDGES["hot-add"](read(path)).because


def test_a_larger_block_allows_more_and_asks_for_more(
    read_recording: Callable[[Path], Recording],
) -> None:
    found = read_recording(RECORDED / "memory" / "hot-add.synthetic-two-blocks.pass.txt")
    offline = found.measured("blocks", parse_offline)
    assert judges.judge_hot_add(samples(found), offline, 1 * GiB).outcome.value == "fail"


@pytest.mark.parametrize(("state", "outcome"), [("Off", "pass"), ("Running", "fail")])
def test_a_ballooned_guest_has_to_go_off_when_asked(
    state: str, outcome: str, read_recording: Callable[[Path], Recording]
) -> None:
    found = read_recording(RECORDED / "memory" / "balloon.synthetic-fell.pass.txt")
    said = Measured(state, (Evidence("Get-VM", state, "host hv"),))
    verdict = judges.judge_clean_stop(samples(found), 768 * MiB, said)
    assert verdict.outcome.value == outcome


def test_a_guest_that_is_not_ballooned_proves_nothing_by_stopping(
    read_recording: Callable[[Path], Recording],
) -> None:
    found = read_recording(RECORDED / "memory" / "minimum.synthetic-no-pressure.error.txt")
    said = Measured("Off", (Evidence("Get-VM", "Off", "host hv"),))
    with pytest.raises(EvidenceError):
        judges.judge_clean_stop(samples(found), 768 * MiB, said)
