"""DM-07's verdict on both sides of each bound, and what its curves show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.checks import bounds
from harness.checks.apache_bench import Load
from harness.checks.memory import parse_samples, render_sample
from harness.checks.web import OVER, Round, Step, judge_web, parse_swapped
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.units import KiB, MiB

BLOCK = 128 * MiB
SHARES = bounds.WEB_SHARES
AB = "ab -c 8"


def step(  # noqa: PLR0913  # one step's facts, by name
    share: float,
    rate: float,
    *,
    failed: int = 0,
    gave_up: str = "",
    mib: int = 768,
    seconds: float = 20.0,
) -> Step:
    good = round(rate * seconds)
    within = {} if gave_up else {50: 160, 95: 240, 99: 300}
    load = Load(8, seconds, good + failed, failed, within, gave_up)
    host = f"State : Running (2)\nMemoryAssigned : {mib << 20}\nMemoryDemand : 0\nMemoryStatus :"
    guest = f"MemTotal: {(mib - 60) << 10} kB\nMemFree: 9 kB\nMemAvailable: 9 kB"
    text = render_sample(share * 60, f"at {share}", host, guest, host)
    samples = Measured(parse_samples(text), (Evidence("samples", text, "host and guest"),))
    proof = (Evidence(AB, f"ab's report{' ' * round(share * 10)}", "guest"),)
    swaps = (Evidence("cat /proc/swaps", "", "guest"),)
    return Step(share, Measured(load, proof), samples, Measured(0 * KiB, swaps))


def steps(name: str, *taken: Step) -> Round:
    samples = tuple(s for one in taken for s in one.samples.value)
    return Round(name, taken, samples)


def rated(name: str, rates: Sequence[float], sizes: Sequence[int] = (768,) * 4) -> Round:
    taken = zip(SHARES, rates, sizes, strict=True)
    return steps(name, *(step(share, rate, mib=mib) for share, rate, mib in taken))


STATIC = rated("static", (100, 20, 3, 1))
GROWN = (768, 1152, 2048, 3072)
DYNAMIC = rated("dynamic", (100, 95, 97, 90), GROWN)
ANNOUNCED = steps("announced", step(0.5, 99), step(3, 88, mib=3000))


def outcome(static: Round = STATIC, dynamic: Round = DYNAMIC) -> str:
    return judge_web(static, dynamic, ANNOUNCED, BLOCK, ours=False).outcome.value


def test_the_dynamic_guest_keeps_its_rate_where_the_static_one_collapses() -> None:
    verdict = judge_web(STATIC, DYNAMIC, ANNOUNCED, BLOCK, ours=True)
    assert verdict.outcome.value == "pass"
    assert "with 1 times its startup memory held the static guest fell from 100.0 to 20.0/s" in (
        verdict.because
    )
    assert "kept 95% of its best 100.0/s" in verdict.because
    assert "assigned: 768 → 1152 → 2048 → 3072 MiB" in verdict.because
    assert "the announcement's settings: 99.0/s at 0.5, median 160 ms, 88.0/s at 3" in (
        verdict.because
    )
    assert "nothing about Hyper-V" in verdict.because
    assert "emulator" not in judge_web(STATIC, DYNAMIC, ANNOUNCED, BLOCK, ours=False).because


@pytest.mark.parametrize(
    ("rates", "sizes", "expected"),
    [
        ((100, 80, 99, 90), GROWN, "pass"),
        ((100, 79.9, 99, 90), GROWN, "fail"),
        ((100, 90, 1, 1), GROWN, "pass"),  # judged where the static guest collapses first
        ((100, 90, 113, 1), GROWN, "fail"),  # its best is of all its steps
        ((100, 95, 97, 90), (768, 896, 900, 900), "pass"),
        ((100, 95, 97, 90), (768, 895, 2048, 3072), "fail"),
        ((100, 95, 97, 90), (768, 768, 768, 768), "fail"),
        ((0, 0, 0, 0), GROWN, "fail"),
    ],
)
def test_the_dynamic_guest_is_judged_by_rate_and_by_what_the_host_assigned(
    rates: Sequence[float], sizes: Sequence[int], expected: str
) -> None:
    assert outcome(dynamic=rated("dynamic", rates, sizes)) == expected


def test_one_error_of_the_dynamic_guest_is_one_too_many() -> None:
    wrong = (step(0.5, 100), step(1, 95, failed=1, mib=1152))
    assert outcome(dynamic=steps("dynamic", *wrong)) == "fail"
    silent = (step(0.5, 100), step(1, 0, gave_up="apr_pollset_poll: timeout", mib=1152))
    verdict = judge_web(STATIC, steps("dynamic", *silent), ANNOUNCED, BLOCK, ours=False)
    assert "apr_pollset_poll" in verdict.because
    assert verdict.outcome.value == "fail"


@pytest.mark.parametrize(
    ("second", "collapsed"),
    [
        (step(1, 50), False),
        (step(1, 49.9), True),
        (step(1, 99, failed=20), False),  # 20 of 2000 are 1 %
        (step(1, 99, failed=21), True),
        (step(1, 0, gave_up="apr_pollset_poll: timeout"), True),
    ],
)
def test_the_static_guest_collapses_by_rate_or_by_errors(second: Step, collapsed: bool) -> None:  # noqa: FBT001
    static = steps("static", step(0.5, 100), second)
    if collapsed:
        assert outcome(static) == "pass"
    else:
        with pytest.raises(EvidenceError, match="the load is too small"):
            outcome(static)


def test_a_rate_that_only_rises_is_no_collapse() -> None:
    with pytest.raises(EvidenceError) as told:
        outcome(rated("static", (40, 100, 90, 80)))
    assert "the load is too small" in str(told.value)
    assert str(told.value).endswith("in 41 characters of output")
    answers = [proof.answer for step in STATIC.steps for proof in step.load.evidence]
    assert len(answers) == len(set(answers)), "an error tells the last step's answer"


def test_a_static_guest_that_cannot_bear_the_first_step_tells_nothing() -> None:
    with pytest.raises(EvidenceError, match="the load is too large"):
        outcome(steps("static", step(0.5, 90, failed=100), step(1, 1)))


def test_a_step_without_latencies_is_told_without_them() -> None:
    quick = step(0.5, 40)
    bare = replace(quick, load=replace(quick.load, value=replace(quick.load.value, within={})))
    with pytest.raises(EvidenceError, match=r"40\.0/s at 0\.5; 40\.0/s at 1, median 160 ms"):
        outcome(steps("static", bare, step(1, 40)))


def test_growth_is_asked_for_at_every_step_up_to_the_collapse() -> None:
    late = rated("static", (100, 90, 20, 1))
    assert outcome(late) == "pass"
    assert outcome(late, rated("dynamic", (100, 95, 97, 90), (768, 1152, 1200, 3072))) == "fail"


def test_the_curves_run_over_the_steps_and_over_time() -> None:
    drawn = judge_web(STATIC, DYNAMIC, ANNOUNCED, BLOCK, ours=False).series
    rates = [curve for curve in drawn if curve.unit == "transactions/s"]
    assert [curve.name for curve in rates] == ["static", "dynamic", "announced"]
    assert list(rates[2].points) == [(0.5, 99.0), (3, 88.0)]
    thirds = judge_web(
        STATIC, DYNAMIC, steps("announced", step(1, 100 / 3, seconds=30)), BLOCK, ours=False
    )
    assert any(curve.points == ((1, 33.33),) for curve in thirds.series)
    assert {curve.unit for curve in drawn if curve.over == OVER} == {
        "transactions/s",
        *(f"ms ({n} % are faster)" for n in (50, 95, 99)),
        *(f"MiB {where}" for where in ("assigned", "in the guest", "swapped out")),
    }
    assert next(curve.name for curve in drawn if curve.over == "s") == "assigned"


def test_a_step_without_an_answer_has_no_latency_to_draw() -> None:
    static = steps("static", step(0.5, 100), step(1, 0, gave_up="apr_pollset_poll: timeout"))
    drawn = judge_web(static, DYNAMIC, ANNOUNCED, BLOCK, ours=False).series
    latency = next(c for c in drawn if c.unit.startswith("ms (50") and c.name == "static")
    assert latency.points == ((0.5, 160),)


HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
ROW = "/hvcert-swap                            file\t\t2359292\t\t{}\t\t-2\n"


def test_what_is_swapped_out_is_the_sum_over_all_places() -> None:
    assert parse_swapped(HEAD) == 0 * KiB
    assert parse_swapped(HEAD + ROW.format(1024) + ROW.format(512)) == 1536 * KiB


@pytest.mark.parametrize("text", ["", "cat: /proc/swaps: No such file\n", HEAD + "/swap file\n"])
def test_a_text_without_the_table_is_an_error(text: str) -> None:
    with pytest.raises(EvidenceError):
        parse_swapped(text)
