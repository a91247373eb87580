"""How much of a host may be filled, and with how many VMs."""

from __future__ import annotations

import pytest

from harness.checks.pressure import STEP, Room, fillers, why_not
from harness.units import Bytes, GiB, KiB, MiB


@pytest.mark.parametrize(
    ("free", "count", "largest"),
    [
        (1 * GiB, 0, 0 * GiB),
        (31 * GiB, 8, 4 * GiB),
        (6 * GiB, 2, 4 * GiB),
        (257 * GiB, 8, 32 * GiB),
    ],
)
def test_a_host_is_filled_down_to_its_reserve_by_a_few_vms(
    free: Bytes, count: int, largest: Bytes
) -> None:
    sizes = fillers(Room(free, 1 * GiB, 512 * GiB))
    assert (len(sizes), max(sizes, default=0 * GiB)) == (count, largest)
    left = free - Bytes(sum(size.count for size in sizes))
    assert 1 * GiB <= left < 1 * GiB + STEP


def test_a_little_free_memory_is_not_worth_a_vm() -> None:
    assert fillers(Room(1 * GiB + 100 * MiB, 1 * GiB, None)) == ()


def test_without_a_budget_the_host_is_not_filled() -> None:
    said = "the inventory grants no memory_budget, so the host's memory is not filled"
    assert why_not(Room(31 * GiB, 1 * GiB, None)) == said


def test_a_budget_that_does_not_reach_down_to_the_reserve_is_too_small() -> None:
    assert why_not(Room(31 * GiB, 1 * GiB, 30 * GiB)) == ""
    assert "memory_budget of 29696 MiB" in why_not(Room(31 * GiB, 1 * GiB, 29 * GiB))
    assert why_not(Room(2 * GiB, 1 * GiB, 30 * GiB, 29 * GiB)) == ""
    assert why_not(Room(2 * GiB, 1 * GiB, 30 * GiB, 30 * GiB))


@pytest.mark.parametrize(
    ("left", "sizes"),
    [
        (STEP, (STEP,)),
        (STEP - 4 * KiB, ()),
        (STEP + 4 * KiB, (STEP,)),
        (4 * GiB + STEP, (4 * GiB, STEP)),
        (33 * GiB + 21 * MiB + 4 * KiB, (4226 * MiB,) * 8),
    ],
)
def test_vms_have_whole_pages_and_take_all_but_less_than_a_step(
    left: Bytes, sizes: tuple[Bytes, ...]
) -> None:
    found = fillers(Room(1 * GiB + left, 1 * GiB, 512 * GiB))
    assert found == sizes
    assert all(type(size.count) is int for size in found)
