"""Repeated runs: all of them count, over several sittings, and only those that asked the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import ResultsError
from harness.repeat import repeat
from harness.report.flakiness import count, render_flakiness, same_question
from harness.report.result import to_json
from harness.verdict import Outcome
from tests.report.test_junit import row

ASKED = {"commit": "abc1234", "inventory": "/i.yaml", "select": "", "markers": "", "faults": []}


class Runs:
    """Makes runs; the n-th of all fails where it is told to."""

    def __init__(self, results: Path, *failing: int, **asked: object) -> None:
        self.results, self.failing, self.asked = results, failing, {**ASKED, **asked}

    def __call__(self) -> tuple[int, Path]:
        number = len(list(self.results.glob("run-*"))) + 1
        folder = self.results / f"run-{number:02}"
        folder.mkdir()
        failed = number in self.failing
        verdict = row(Outcome.FAIL if failed else Outcome.PASS, seconds=10.0 + number)
        (folder / "verdicts.jsonl").write_text(json.dumps(to_json(verdict)) + "\n")
        facts = {"run": folder.name, "started": f"2026-11-2{number}T1", **self.asked}
        (folder / "run.json").write_text(json.dumps(facts))
        return int(failed), folder


def test_a_second_sitting_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    said: list[str] = []
    assert repeat(2, tmp_path, Runs(tmp_path), said.append) == 0
    assert repeat(5, tmp_path, Runs(tmp_path, 4), said.append) == 1
    assert [line for line in said if line.endswith("runs")] == [
        "1 of 2 runs", "2 of 2 runs", "3 of 5 runs", "4 of 5 runs", "5 of 5 runs",
    ]  # fmt: skip
    table = (tmp_path / "flakiness.md").read_text()
    assert "5 runs, 2026-11-21 to 2026-11-25, of commit abc1234 (5)." in table
    assert "| NMI-01 | debian-12@hv | 1 fail, 4 pass | 1 | 11 / 13 / 15 |" in table


def test_an_earlier_fail_is_not_forgotten_by_a_sitting_without_one(tmp_path: Path) -> None:
    assert repeat(1, tmp_path, Runs(tmp_path, 1), print) == 1
    assert repeat(2, tmp_path, Runs(tmp_path), print) == 1


@pytest.mark.parametrize("other", [{"commit": "def5678"}, {"select": "NMI"}, {"faults": ["x-y"]}])
def test_runs_that_asked_something_else_do_not_count(
    tmp_path: Path, other: dict[str, object]
) -> None:
    Runs(tmp_path, **other)()
    repeat(2, tmp_path, Runs(tmp_path), print)
    assert len(list(tmp_path.glob("run-*"))) == 3


@pytest.mark.parametrize("commit", ["", "abc1234-dirty"])
def test_a_changed_checkout_is_another_one_each_time(commit: str) -> None:
    asked = ASKED | {"commit": commit}
    assert not same_question(asked, asked)
    assert same_question(ASKED, dict(ASKED))


def test_a_run_without_a_verdict_ends_it(tmp_path: Path) -> None:
    def nothing() -> tuple[int, Path]:
        return 2, tmp_path / "none"

    with pytest.raises(ResultsError, match="reached no verdict"):
        repeat(3, tmp_path, nothing, print)


def test_what_was_not_run_counts_as_such_and_an_expected_failure_is_as_expected() -> None:
    rows = [
        row(Outcome.PASS),
        row(Outcome.NOT_RUN),
        row(Outcome.FAIL, case="DM-01", expected_failure="stays offline"),
    ]
    counted = {one.title: one for one in count([(ASKED, rows[:1] + rows[2:]), (ASKED, rows[1:2])])}
    assert counted["NMI-01"].words == {"not-run": 1, "pass": 1}
    assert (counted["NMI-01"].unexpected, counted["DM-01"].unexpected) == (1, 0)
    assert "3 verdicts, 1 of them not as expected, in 1 cases." in render_flakiness([(ASKED, rows)])
