"""Each verdict on dynamic memory, on recorded samples: on both sides of each bound.

The name of a recording is JUDGE.WHAT.OUTCOME.txt; ``tests/recorded/SOURCES.md`` says where it is
from.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.checks import memory_judges as judges
from harness.checks.kernel_log import KernelLog, parse_kernel_log
from harness.checks.memory import (
    GuestMemory,
    HostMemory,
    Sample,
    parse_offline,
    parse_samples,
)
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


def taken(
    *rows: tuple[float, int, int], demand: int = 0, moved: tuple[int, ...] = ()
) -> judges.Samples:
    """Return samples of (seconds, MiB that the host assigned, MiB that the guest sees)."""
    made = []
    for number, (at, assigned, seen) in enumerate(rows):
        host = HostMemory(assigned * MiB, demand * MiB, "", "Running")
        told = moved[number] * MiB if moved else None
        made.append(Sample(at, "", host, GuestMemory(seen * MiB, 0 * MiB, told), host))
    return Measured(tuple(made), (Evidence("samples", "as made", "host and guest"),))


@pytest.mark.parametrize(
    ("release", "rows", "moved", "hidden"),
    [
        (OLD, ((0, 768, 700), (9, 640, 700)), (), True),
        (OLD, ((0, 768, 700), (5, 512, 600), (9, 640, 700)), (), True),
        (OLD, ((0, 768, 700), (5, 640, 700), (9, 768, 700)), (), False),
        (OLD, ((0, 768, 700), (9, 640, 669)), (), True),
        (OLD, ((0, 768, 700), (9, 640, 668)), (), False),
        (OLD, ((0, 768, 700), (9, 641, 700)), (), False),
        (OLD, ((0, 768, 700), (9, 640, 700)), (0, 0), False),
        ("5.11.0", ((0, 768, 700), (9, 640, 700)), (), False),
        ("4.19.0", ((0, 768, 700), (9, 640, 700)), (), True),
    ],
)
def test_only_an_old_kernel_whose_view_stands_still_does_not_show_its_balloon(
    release: str,
    rows: tuple[tuple[float, int, int], ...],
    moved: tuple[int, ...],
    hidden: bool,  # noqa: FBT001
) -> None:
    found = taken(*rows, moved=moved).value
    assert judges.does_not_follow(found, BLOCK, release) is hidden


def test_a_release_without_a_version_is_an_error() -> None:
    with pytest.raises(EvidenceError) as told:
        judges.does_not_follow(taken((0, 768, 700)).value, BLOCK, "mainline")
    assert str(told.value) == "kernel release: no version in 8 characters of output"


def test_what_counts_of_a_fall_is_the_last_sample_against_the_first() -> None:
    fell = taken((0, 768, 700), (4, 512, 444), (8, 640, 572))
    assert "assigned fell from 768 MiB to 640 MiB, the guest sees 128 MiB less" in (
        judges.judge_balloon(fell, BLOCK, NEW).because
    )


def test_memory_that_the_guest_took_on_line_is_not_off_line() -> None:
    rose = taken((0, 768, 700), (4, 1024, 956))
    one = Measured(1, (Evidence("state", "offline", "guest"),))
    verdict = judges.judge_hot_add(rose, one, BLOCK)
    assert verdict.because == "assigned rose by 256 MiB from 768 MiB, the guest sees 256 MiB more"


def test_a_demand_equal_to_the_maximum_is_not_above_it() -> None:
    held = taken((0, 1200, 1100), (20, 1200, 1100), demand=1000)
    with pytest.raises(EvidenceError, match="it asked for 1200 MiB"):
        judges.judge_maximum(held, 1200 * MiB, 20)
    assert judges.judge_maximum(held, 1199 * MiB, 20).outcome.value == "fail"


def test_a_load_counts_when_it_lasts_ten_seconds() -> None:
    above = taken((0, 1200, 1100), (10, 1200, 1100), demand=1100)
    assert judges.judge_maximum(above, 1200 * MiB, 20).outcome.value == "pass"


def test_one_block_taken_back_is_pressure() -> None:
    felt = taken((0, 768, 700), (10, 640, 572))
    assert judges.judge_minimum(felt, 512 * MiB, BLOCK).outcome.value == "pass"


def test_samples_below_the_start_do_not_count_where_the_kernel_hides_its_balloon() -> None:
    rows = [(float(at), 640 if 20 <= at < 40 else 768, 700) for at in range(60)]
    old, new = (judges.judge_agreement(taken(*rows), 64 * MiB, r) for r in (OLD, NEW))
    assert (old.outcome.value, new.outcome.value) == ("pass", "fail")
    assert old.because.startswith("in 30 samples that count host and guest differ by at most 0 MiB")


def test_ballooned_is_what_the_last_sample_says() -> None:
    up = taken((0, 512, 444), (1, 512, 444), (2, 768, 700))
    down = taken((0, 768, 700), (1, 768, 700), (2, 512, 444))
    after = taken((0, 512, 444), (5, 1024, 956), demand=9)
    off = Measured("Off", (Evidence("Get-VM", "Off", "host hv"),))

    def resumed_after(found: judges.Samples) -> Verdict:
        return judges.judge_resumed(found, after, 768 * MiB, BLOCK)

    def stopped_after(found: judges.Samples) -> Verdict:
        return judges.judge_clean_stop(found, 768 * MiB, off)

    for judge in (resumed_after, stopped_after):
        assert judge(down).outcome.value == "pass"
        with pytest.raises(EvidenceError, match="ballooned guest before"):
            judge(up)
    told = judges.judge_clean_stop(down, 768 * MiB, off).because
    assert told == "a guest ballooned to 512 MiB is Off after Stop-VM"


BOOT = "[    0.000000] Linux version 6.1.0\n"
KILLED = "[    9.{}00000] Out of memory: Killed process {} ({}) total-vm:1kB\n"


def logs(after: str, before: str = BOOT) -> tuple[Measured[KernelLog], Measured[KernelLog]]:
    one, two = (
        Measured(parse_kernel_log(text), (Evidence("dmesg", text, "guest"),))
        for text in (before, after)
    )
    return one, two


def test_a_log_of_another_boot_does_not_tell_who_was_killed() -> None:
    with pytest.raises(EvidenceError) as told:
        judges.killed(logs("[    0.500000] of another boot\n", BOOT + "[    1.000000] x\n"))
    assert str(told.value) == (
        "kernel log: no boot in which the case began in 31 characters of output"
    )


def test_all_others_that_the_kernel_killed_are_named() -> None:
    starved = taken((0, 768, 700), (5, 768, 690), (10, 768, 680), demand=700)
    fed = taken((11, 768, 700), (20, 1024, 956))
    text = BOOT + KILLED.format(1, 5, "sshd") + KILLED.format(2, 6, "cron")
    verdict = judges.judge_starved(starved, fed, logs(text), 20, BLOCK)
    assert verdict.because == "the kernel killed cron, sshd"
    fed = taken((11, 768, 700), (15, 800, 720), (20, 1024, 956))
    lives = judges.judge_starved(starved, fed, logs(BOOT), 20, BLOCK)
    assert lives.because.endswith("the host gave 256 MiB, the guest sees 256 MiB")


def test_a_demand_that_is_met_is_not_unmet() -> None:
    met = taken((0, 840, 700), (10, 840, 690), demand=700)
    with pytest.raises(EvidenceError, match="unmet demand for 10 s"):
        judges.judge_starved(met, taken((11, 1024, 956)), logs(BOOT), 20, BLOCK)
