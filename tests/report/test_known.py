"""Known issues excuse a fail until they expire, and only that; the exit status and the line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.errors import InventoryError
from harness.inventory.known import load_known
from harness.report.junit import render_junit
from harness.report.known import KnownIssue, applied, to_look_at
from harness.report.result import CaseResult, Try, exit_status
from harness.report.summary import summary
from harness.verdict import Outcome

TODAY = date(2026, 11, 27)
ISSUE = KnownIssue("NMI-01", "debian-*", "*", "lost on 6.1", "https://bugs.example/7", TODAY)
FAIL = CaseResult("NMI-01", "NMI", "", "debian-12", "hv-2019", Outcome.FAIL, "0 NMIs, not 5")
PASS = replace(FAIL, outcome=Outcome.PASS, because="5 NMIs")
ERROR = replace(FAIL, outcome=Outcome.ERROR, because="HostUnreachable")


def known(row: CaseResult, issue: KnownIssue = ISSUE) -> CaseResult:
    (found,) = applied((row,), (issue,), TODAY)
    return found


def test_a_fail_that_matches_is_known_and_leaves_the_run_green() -> None:
    row = known(FAIL)
    assert (row.word, row.as_expected) == ("known", True)
    assert row.known == "lost on 6.1 (https://bugs.example/7)"


@pytest.mark.parametrize(
    ("row", "issue"),
    [
        (FAIL, replace(ISSUE, case="NMI-02")),
        (FAIL, replace(ISSUE, guest="rhel-*")),
        (FAIL, replace(ISSUE, host="hv-2022")),
        (FAIL, replace(ISSUE, expires=date(2026, 11, 26))),
        (ERROR, ISSUE),
        (PASS, ISSUE),
    ],
)
def test_another_case_place_or_outcome_and_an_expired_entry_excuse_nothing(
    row: CaseResult, issue: KnownIssue
) -> None:
    assert known(row, issue) == row


def test_an_entry_that_is_of_no_use_is_told() -> None:
    assert to_look_at((FAIL,), (ISSUE,), TODAY) == ()
    assert "no longer fails" in to_look_at((PASS,), (ISSUE,), TODAY)[0]
    assert "expired" in to_look_at((FAIL,), (replace(ISSUE, expires=date(2026, 1, 1)),), TODAY)[0]
    assert to_look_at((replace(PASS, case="KX-01"),), (ISSUE,), TODAY) == ()


@pytest.mark.parametrize(
    ("row", "statuses"),
    [
        (PASS, (0, 0, 0)),
        (known(FAIL), (0, 1, 0)),
        (replace(FAIL, expected_failure="bug"), (0, 1, 0)),
        (FAIL, (1, 1, 0)),
        (ERROR, (2, 2, 2)),
    ],
)
def test_the_exit_status_is_what_was_asked_for(row: CaseResult, statuses: object) -> None:
    assert tuple(exit_status((row,), on) for on in ("new", "any", "none")) == statuses


def test_in_junit_it_is_a_failure_unless_asked_otherwise() -> None:
    failure = ET.fromstring(render_junit((known(FAIL),))).find(".//failure")  # noqa: S314
    assert failure is not None
    assert failure.get("type") == "known-issue"
    skipped = ET.fromstring(render_junit((known(FAIL),), known_skipped=True))  # noqa: S314
    assert skipped.find(".//failure") is None
    assert skipped.find(".//skipped") is not None


def test_the_list_is_read_and_all_its_problems_are_told(tmp_path: Path) -> None:
    good = tmp_path / "known.yaml"
    good.write_text(
        "- {case: NMI-01, guest: 'debian-*', reason: lost on 6.1,"
        " link: 'https://bugs.example/7', expires: '2026-11-27'}\n"
    )
    assert load_known(good) == (ISSUE,)
    bad = tmp_path / "bad.yaml"
    bad.write_text("- {case: NMI-01, expires: soon, colour: red}\n")
    with pytest.raises(InventoryError) as wrong:
        load_known(bad)
    said = "; ".join(wrong.value.problems)
    assert all(word in said for word in ("reason", "link", "soon", "colour"))
    bad.write_text("case: NMI-01\n")
    with pytest.raises(InventoryError, match="must be a list"):
        load_known(bad)


def test_a_run_in_one_line_names_what_is_wrong_and_what_the_run_was() -> None:
    flaky = replace(PASS, case="KX-01", earlier=(Try(Outcome.FAIL, "x"),))
    stand_in = replace(FAIL, facts={"banner": "STAND-IN"})
    line = summary({"run": "run-1"}, (stand_in, known(replace(FAIL, guest="debian-13")), flaky))
    assert line == (
        "STAND-IN hvcert run-1: 1 fail, 1 flaky, 1 known; look at NMI-01 debian-12@hv-2019"
    )
    many = tuple(replace(FAIL, guest="g" * 90 + str(n)) for n in range(9))
    assert len(summary({"run": "run-1"}, many)) < 300
