"""When a step of DM-07 is measured, and when the case is not run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness import dynamic, web
from harness.checks import bounds
from harness.checks.memory import GuestMemory, HostMemory, Limits, Sample
from harness.checks.pressure import Room
from harness.dynamic import Life
from harness.evidence import Evidence, Measured
from harness.units import GiB, MiB
from harness.verdict import Outcome

GUEST = GuestMemory(700 * MiB, 100 * MiB)


def sample(at: float, assigned: int, demand: int = 0) -> Sample:
    host = HostMemory(assigned * MiB, demand * MiB, "", "Running")
    return Sample(at, "", host, GUEST, host)


def life() -> Life:
    block = Measured(128 * MiB, ())
    nobody: Any = None
    return dynamic.Life(nobody, nobody, Limits(), block, nobody)


def rests(one: web.AtRest, *samples: Sample) -> list[bool]:
    return [one(sample) for sample in samples]


def test_static_memory_is_at_rest_once_the_server_is_warm() -> None:
    seen = rests(web.AtRest(None), *(sample(at, 768) for at in (50, 60, 64, 65)))
    assert seen == [False, False, False, True]


def test_memory_that_moves_is_waited_for() -> None:
    sizes = ((0, 768), (5, 896), (14, 1024), (16, 1024), (23, 1024), (24, 1024))
    seen = rests(web.AtRest(life()), *(sample(at, size, 700) for at, size in sizes))
    assert seen == [False, False, False, False, False, True]


def test_a_guest_that_still_asks_for_a_block_is_waited_for() -> None:
    asking = (sample(at, 768, 747) for at in (0, 10, 20))  # 896 MiB with its buffer
    assert rests(web.AtRest(life()), *asking) == [False, False, False]
    content = (sample(at, 768, 746) for at in (0, 10, 20))
    assert rests(web.AtRest(life()), *content) == [False, False, True]


@pytest.mark.parametrize(("free", "runs"), [(4096 + 3456, True), (4096 + 3455, False)])
def test_the_case_is_not_run_where_the_guest_has_no_room_to_grow(free: int, runs: bool) -> None:  # noqa: FBT001
    room = Measured(Room(free * MiB, 4 * GiB, None), (Evidence("Get-CimInstance", "", "host"),))
    bench = cast("Any", SimpleNamespace(fillers=SimpleNamespace(room=lambda: room)))
    refused = web.too_little(bench)
    assert (refused is None) == runs
    if refused:
        assert refused.outcome is Outcome.NOT_RUN
        assert "may grow to 3456 MiB" in refused.because


def test_the_largest_step_fits_into_memory_and_swap() -> None:
    assert max(bounds.WEB_SHARES) * bounds.DM_STARTUP.count <= web.SWAP.count
    assert web.URL == "http://10.99.0.1:8080/held?48"
