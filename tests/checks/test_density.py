"""DM-08: more guests with dynamic memory, all answering, within what the host had."""

from __future__ import annotations

import pytest

from harness.checks.density import OURS, Crowd, judge_density
from harness.checks.memory import parse_host_memory
from harness.evidence import Evidence, Measured
from harness.units import MiB


def crowd(*assigned: int, room: int = 3328, deaf: int = 0) -> Crowd:
    texts = [
        f"State : Running (2)\nMemoryAssigned : {size << 20}\nMemoryDemand : 0\nMemoryStatus :"
        for size in assigned
    ]
    memory = tuple(
        Measured(parse_host_memory(text), (Evidence("Get-VM", text, "host hv"),)) for text in texts
    )
    free = Measured(room * MiB, (Evidence("Get-CimInstance", str(room), "host hv"),))
    return Crowd(free, memory, len(assigned) - deaf, "OutOfMemory,StartVM")


FOUR = crowd(768, 768, 768, 768)
SIX = crowd(512, 512, 512, 512, 512, 768)


@pytest.mark.parametrize(
    ("static", "dynamic", "outcome"),
    [
        (FOUR, SIX, "pass"),
        (FOUR, crowd(512, 512, 512, 512), "fail"),
        (FOUR, crowd(512, 512, 512, 512, 512), "pass"),
        (FOUR, crowd(512, 512, 512, 512, 512, 512, deaf=1), "fail"),
        (FOUR, crowd(768, 768, 768, 768, 768), "fail"),  # more than the host had
        (crowd(), SIX, "fail"),
    ],
)
def test_a_crowd_is_judged_by_count_answers_and_room(
    static: Crowd, dynamic: Crowd, outcome: str
) -> None:
    assert judge_density(static, dynamic, ours=False).outcome.value == outcome


def test_the_gain_is_reported_beside_the_announced_one_and_disclaimed_where_it_is_ours() -> None:
    verdict = judge_density(FOUR, SIX, ours=True)
    assert "4 guests with static, 6 with dynamic memory (+50 %; announced: 30 to 40 %)" in (
        verdict.because
    )
    assert OURS in verdict.because
    assert OURS not in judge_density(FOUR, SIX, ours=False).because
    assert [curve.points[-1] for curve in verdict.series] == [(4.0, 3072.0), (6.0, 3328.0)]
    assert verdict.series[0].points[0] == (1.0, 768.0)


def test_all_that_is_wrong_with_a_crowd_is_said() -> None:
    verdict = judge_density(FOUR, crowd(768, 768, 768, 768, 768, deaf=2), ours=False)
    said = "with dynamic memory: they had 3840 MiB of 3328 MiB; 2 did not answer"
    assert verdict.because == said


def test_one_guest_is_a_crowd_too_and_a_height_is_told_to_a_tenth_of_a_mib() -> None:
    text = "State : Running (2)\nMemoryAssigned : 539230\nMemoryDemand : 0\nMemoryStatus :"
    little = Measured(parse_host_memory(text), (Evidence("Get-VM", text, "host hv"),))
    one = Crowd(FOUR.room, (little,), 1, "OutOfMemory,StartVM")
    verdict = judge_density(one, SIX, ours=False)
    assert verdict.outcome.value == "pass"
    assert verdict.series[0].points == ((1.0, 0.5),)
