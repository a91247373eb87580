"""What stays of an interrupted run, and what starts over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.report.result import CaseResult, Try
from harness.report.step import Spent
from harness.report.store import Store
from harness.resume import prepare
from harness.verdict import Outcome

PLANNED = CaseResult(
    "NMI-01", "NMI", "", "debian-12", "hv-2019", Outcome.NOT_RUN, "the run ended before",
    recording="recordings/x.jsonl",
)  # fmt: skip
FAIL = replace(PLANNED, outcome=Outcome.FAIL, because="lost")
AGAIN = replace(FAIL, earlier=(Try(Outcome.FAIL, "lost"),))
PASS = replace(AGAIN, outcome=Outcome.PASS)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return the folder of a run with one case planned, killed before its end."""
    made = Store(tmp_path / "run")
    made.create({"run": "run"})
    made.plan([PLANNED])
    (made.folder / "recordings").mkdir()
    (made.folder / PLANNED.recording).write_text("{}\n")
    (made.folder / "jobs.jsonl").write_text("{}\n")
    return made


@pytest.mark.parametrize(
    ("rows", "retries", "settled"),
    [
        ((FAIL,), 0, True),
        ((FAIL,), 1, False),  # killed between two tries
        ((FAIL, AGAIN), 1, True),
        ((FAIL, PASS), 1, True),
        ((FAIL, AGAIN), 2, False),
        ((), 0, False),
    ],
)
def test_a_case_that_has_a_try_left_starts_over_and_one_that_had_all_does_not(
    store: Store, rows: tuple[CaseResult, ...], retries: int, settled: int
) -> None:
    for row in rows:
        store.append(row)
    store.time(PLANNED.recording, Spent(1.0, 0.0, 0.0))
    assert prepare(store.folder, retries) == ({PLANNED.recording} if settled else set())
    assert (store.folder / PLANNED.recording).exists() == settled


def test_a_verdict_without_the_end_of_its_case_is_none(store: Store) -> None:
    store.append(FAIL)
    assert prepare(store.folder) == frozenset()
    assert store.judged() == ()


def test_a_whole_plan_stays_and_one_that_was_cut_off_is_made_anew(store: Store) -> None:
    for _ in range(2):  # also when the resumed run is killed before it wrote its jobs
        prepare(store.folder)
        assert store.planned() == (PLANNED,)
    (store.folder / "jobs-before.jsonl").unlink()
    prepare(store.folder)
    assert store.planned() == ()
