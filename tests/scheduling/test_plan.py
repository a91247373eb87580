"""Where cases are placed and in which order; what cannot run is refused with its reason."""

from __future__ import annotations

import heapq
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from harness.scheduling.job import CASES_PER_HOST, Job, Placed, Room
from harness.scheduling.plan import Plan
from harness.scheduling.rooms import guests_at_once
from harness.units import Bytes, GiB


def job(item: str, seconds: float = 60, *, hosts: str = "a", gib: int = 1, **more: object) -> Job:
    took = timedelta(seconds=seconds)
    given = {"memory": gib * GiB, "processors": 2, "expected": took, **more}
    return Job(item, f"recordings/{item}.jsonl", "g", hosts, tuple(hosts), **given)  # type: ignore[arg-type]  # tests name them


def room(host: str, gib: int = 4, **more: object) -> Room:
    return Room(host, gib * GiB, 16, **more)  # type: ignore[arg-type]  # tests name them


def started(plan: Plan, now: float = 0) -> list[tuple[str, str]]:
    """Start all that can start now."""
    placed: list[Placed] = []
    while (one := plan.next(now)) is not None:
        placed.append(one)
    return [(p.job.item, p.host) for p in placed]


def test_the_longest_job_starts_first() -> None:
    plan = Plan([job("short", 10), job("long", 90), job("middle", 50)], [room("a", gib=2)])
    assert started(plan) == [("long", "a"), ("middle", "a")]


def test_a_higher_priority_goes_before_a_longer_job() -> None:
    plan = Plan([job("long", 90), job("urgent", 10, priority=1)], [room("a", gib=1)])
    assert started(plan) == [("urgent", "a")]


def test_a_job_waits_for_memory_and_gets_it_when_another_ends() -> None:
    plan = Plan([job("one", 90, gib=3), job("two", 50, gib=2)], [room("a")])
    assert started(plan) == [("one", "a")]
    plan.done("one")
    assert started(plan, 90) == [("two", "a")]


def test_virtual_processors_are_counted_too() -> None:
    plan = Plan([job(str(n), processors=8) for n in range(3)], [room("a")])
    assert len(started(plan)) == 2


def test_a_host_holds_no_more_cases_than_it_allows_a_user_shells() -> None:
    plan = Plan([job(str(n), processors=0) for n in range(40)], [room("a", gib=99)])
    assert len(started(plan)) == CASES_PER_HOST
    rooms = (room("a", gib=99), room("b", gib=3))
    assert guests_at_once(rooms, Bytes(1024**3), 1) == 16 + 3
    wide = Room("a", 99 * GiB, 99)
    assert guests_at_once((wide,), Bytes(1024**3), 1) == CASES_PER_HOST


def test_a_pool_is_filled_evenly() -> None:
    plan = Plan([job(str(n), hosts="ab") for n in range(4)], [room("a"), room("b")])
    assert sorted(host for _, host in started(plan)) == ["a", "a", "b", "b"]


def test_the_second_guest_of_a_template_goes_where_its_image_was_used() -> None:
    plan = Plan([job("1", hosts="ab", template="x")], [room("a"), room("b")])
    (first,) = started(plan)
    plan.done("1")
    plan.pending.append(job("2", hosts="ab", template="x"))
    assert started(plan) == [("2", first[1])]


def test_a_job_that_runs_alone_waits_for_others_and_keeps_longer_ones_out() -> None:
    jobs = [job("long", 100), job("alone", 80, alone=True), job("later", 95), job("quick", 10)]
    plan = Plan(jobs[:1], [room("a")])
    assert started(plan) == [("long", "a")]
    plan.pending += [jobs[1], jobs[2], jobs[3]]
    assert started(plan, 10) == [("quick", "a")]  # it ends before the reserved machine is idle
    plan.done("long")
    plan.done("quick")
    assert started(plan, 100) == [("alone", "a")]
    plan.done("alone")
    assert started(plan, 180) == [("later", "a")]


def test_hosts_of_one_machine_share_its_loneliness() -> None:
    rooms = [room("a", machine="m"), room("b", machine="m")]
    plan = Plan([job("alone", 80, alone=True), job("other", hosts="b")], rooms)
    assert started(plan) == [("alone", "a")]


def test_a_host_is_set_aside_after_three_errors_in_a_row_and_its_jobs_go_elsewhere() -> None:
    plan = Plan([job(str(n), hosts="ab") for n in range(3)], [room("a"), room("b")])
    assert [plan.failed("a", "no listener") for _ in range(3)] == [False, False, True]
    assert {host for _, host in started(plan)} == {"b"}


def test_what_no_other_host_can_run_is_refused_with_the_reason() -> None:
    plan = Plan([job("1")], [room("a")])
    plan.failed("a", "no listener")
    plan.answered("a")
    for _ in range(3):
        plan.failed("a", "no listener")
    assert plan.finished
    assert plan.refused == {"1": "a was set aside after 3 errors in a row, the last: no listener"}


def test_what_fits_on_no_host_is_refused_at_once() -> None:
    plan = Plan(
        [job("big", gib=9), job("many", processors=99), job("backup", backup_disk=True)],
        [room("a", no_backups="a has no drive for backups")],
    )
    assert plan.finished
    assert plan.refused["big"] == "a has 4096 MiB for guests, and the case needs 9216 MiB"
    assert "virtual processors" in plan.refused["many"]
    assert "backup" in plan.refused["backup"]


def test_what_would_not_end_before_the_deadline_is_refused() -> None:
    plan = Plan([job("long", 90), job("short", 20)], [room("a", gib=1)], deadline=100)
    assert started(plan, 30) == [("short", "a")]
    assert plan.refused == {"long": "it would not end before the deadline: it takes about 0:01:30"}


def test_memory_that_others_took_meanwhile_is_not_given_away() -> None:
    plan = Plan([job(str(n)) for n in range(4)], [room("a")])
    plan.measured("a", 2 * GiB)
    assert len(started(plan)) == 2
    plan.measured("a", 50 * GiB)  # never more than there was at the start
    assert len(started(plan)) == 2


LENGTHS = st.lists(st.integers(1, 600), min_size=1, max_size=40)


@given(LENGTHS, st.integers(1, 5), st.integers(1, 4))
def test_no_makespan_exceeds_the_bound_of_list_scheduling(
    lengths: list[int], hosts: int, slots: int
) -> None:
    """Nothing is lost, and the end is within Graham's bound of what is possible at best."""
    names = "abcde"[:hosts]
    plan = Plan(
        [job(str(n), length, hosts=names) for n, length in enumerate(lengths)],
        [room(name, gib=slots) for name in names],
    )
    now, events, ran = 0.0, list[tuple[float, str]](), 0
    while not plan.finished:
        while (placed := plan.next(now)) is not None:
            heapq.heappush(events, (placed.ends(), placed.job.item))
            ran += 1
        now, item = heapq.heappop(events)
        plan.done(item)
    best = max(max(lengths), sum(lengths) / (hosts * slots))
    assert ran == len(lengths)
    assert now <= best * (2 - 1 / (hosts * slots)) + 1e-6
