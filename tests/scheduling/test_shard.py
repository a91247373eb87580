"""A run is split so that each case is in exactly one part, and the parts take alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scheduling.job import Job
from harness.shard import Shard, digest, parse_shard, part
from harness.units import GiB

JOB = Job("x", "x", "g", "hv", ("hv",), 1 * GiB, 1, timedelta(seconds=60))


def jobs(lengths: list[int]) -> list[Job]:
    return [
        replace(JOB, item=str(n), recording=str(n), expected=timedelta(seconds=length))
        for n, length in enumerate(lengths)
    ]


@given(st.lists(st.integers(1, 900), max_size=60), st.integers(1, 7))
def test_each_case_is_in_one_part_and_the_parts_take_alike(lengths: list[int], of: int) -> None:
    parts = [part(jobs(lengths), Shard(number + 1, of)) for number in range(of)]
    assert sorted(job.item for one in parts for job in one) == sorted(j.item for j in jobs(lengths))
    loads = [sum(job.expected.total_seconds() for job in one) for one in parts]
    assert max(loads) - min(loads) <= max(lengths, default=0)


def test_the_split_does_not_depend_on_the_order_of_collection() -> None:
    one, other = jobs([5, 9, 9, 1]), list(reversed(jobs([5, 9, 9, 1])))
    assert part(one, Shard(1, 2)) == part(other, Shard(1, 2))
    assert digest(one) == digest(other)


def test_plans_with_other_cases_or_times_are_other_plans() -> None:
    assert len({digest(jobs(lengths)) for lengths in ([5, 9], [5, 8], [5])}) == 3


def test_a_shard_is_read() -> None:
    assert parse_shard("2/3") == Shard(2, 3)


@pytest.mark.parametrize("text", ["0/3", "4/3", "2", "a/b", "2/0", "-1/3"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 1/3, 2/3 and 3/3"):
        parse_shard(text)
