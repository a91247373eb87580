"""What a case hands in becomes rows: nothing is lost, nothing missing passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import HostUnreachable, ResultsError
from harness.evidence import Evidence
from harness.inventory.model import ExpectedFailure, Guest
from harness.ledger import Ledger
from harness.report.store import Store
from harness.series import Series
from harness.unwritten import Unwritten, attach
from harness.verdict import Outcome, Verdict

PASS = Verdict(Outcome.PASS, "held", (Evidence("cat /proc/interrupts", "NMI: 5"),))
FAIL = Verdict(Outcome.FAIL, "did not hold", (Evidence("cat /proc/interrupts", "NMI: 4"),))


class FakeGuest:
    name = "debian-12"

    def __init__(self, *expected: ExpectedFailure) -> None:
        self.expected_failures = expected


def ledger(folder: Path, *parameters: str, expected: tuple[ExpectedFailure, ...] = ()) -> Ledger:
    guest: Guest = FakeGuest(*expected)  # type: ignore[assignment]  # only what a ledger reads
    return Ledger("NMI-02", "NMI", guest, "hv", "", parameters, Store(folder))


def outcomes(book: Ledger) -> dict[str, Outcome]:
    return {row.parameter: row.outcome for row in book.store.results()}


def test_a_verdict_is_written_with_its_raw_text(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.certify(PASS)
    assert book.settle() == ()
    (row,) = book.store.results()
    assert (tmp_path / row.evidence[0].path).read_text() == "NMI: 5"


def test_a_fail_is_not_what_the_inventory_expects(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.certify(FAIL)
    assert [row.because for row in book.settle()] == ["did not hold"]


def test_an_expected_failure_is_as_expected_and_its_pass_is_not(tmp_path: Path) -> None:
    known = (ExpectedFailure("NMI-02", "known bug"),)
    book = ledger(tmp_path / "a", expected=known)
    book.certify(FAIL)
    assert book.settle() == ()
    book = ledger(tmp_path / "b", expected=known)
    book.certify(PASS)
    assert len(book.settle()) == 1


def test_an_expectation_for_another_host_does_not_count(tmp_path: Path) -> None:
    book = ledger(tmp_path, expected=(ExpectedFailure("NMI-02", "known", ("other",)),))
    book.certify(FAIL)
    assert len(book.settle()) == 1


def test_a_parameter_without_a_verdict_is_an_error(tmp_path: Path) -> None:
    book = ledger(tmp_path, "Off", "Saved")
    book.certify(PASS, "Off")
    book.settle()
    assert outcomes(book) == {"Off": Outcome.PASS, "Saved": Outcome.ERROR}


def test_a_case_that_hands_in_nothing_is_an_error(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    assert [row.outcome for row in book.settle()] == [Outcome.ERROR]


def test_harness_trouble_keeps_the_verdicts_that_were_reached(tmp_path: Path) -> None:
    book = ledger(tmp_path, "Off", "Saved")
    book.certify(FAIL, "Saved")
    book.fail_with(HostUnreachable("hv", "no answer", "check the cable"), "call")
    assert outcomes(book) == {"Off": Outcome.ERROR, "Saved": Outcome.FAIL}


def test_trouble_in_clean_up_is_not_hidden_by_a_pass_and_hides_no_fail(tmp_path: Path) -> None:
    book = ledger(tmp_path, "Off", "Saved")
    book.certify(PASS, "Off")
    book.certify(FAIL, "Saved")
    book.settle()
    book.fail_with(HostUnreachable("hv", "no answer"), "teardown")
    assert outcomes(book) == {"Off": Outcome.ERROR, "Saved": Outcome.FAIL}


def test_a_verdict_that_cannot_be_written_is_an_error_that_travels_with_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = ledger(tmp_path, "Off")
    book.certify(PASS, "Off")
    with monkeypatch.context() as full:
        full.setattr(Store, "append", _no_room)
        (row,) = book.settle()
    assert row.outcome is Outcome.ERROR
    assert row.because == "ResultsError: /results: no space; the verdict was pass: held"
    assert row.evidence == ()
    report = pytest.TestReport("a", ("f", 1, "a"), {}, "passed", None, "teardown")
    attach(report, book.unwritten)
    taken = Unwritten()
    taken.pytest_runtest_logreport(report)
    assert taken.rows == [row]


def _no_room(*_: object) -> None:
    raise ResultsError("/results: no space")


def test_two_verdicts_for_one_parameter_are_a_mistake_of_the_case(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.certify(PASS)
    with pytest.raises(ValueError, match="two verdicts"):
        book.certify(PASS)


def test_one_function_hands_in_verdicts_of_several_cases(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.cases = ("NMI-02", "NMI-03", "NMI-04")
    assert [row.case for row in book.planned()] == ["NMI-02", "NMI-03", "NMI-04"]
    book.certify(PASS)
    book.certify(FAIL, case="NMI-03")
    book.settle()
    rows = {row.case: row.outcome for row in book.store.results()}
    expected = {"NMI-02": Outcome.PASS, "NMI-03": Outcome.FAIL, "NMI-04": Outcome.ERROR}
    assert rows == expected


def test_a_case_that_the_inventory_does_not_want_leaves_no_row(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.cases = ("NMI-03",)
    book.certify(FAIL)
    book.certify(PASS, case="NMI-03")
    assert book.settle() == ()
    assert [row.case for row in book.store.results()] == ["NMI-03"]


def test_the_curves_of_a_verdict_are_kept_with_it(tmp_path: Path) -> None:
    curve = Series("assigned", "MiB", ((0.0, 768.0), (1.5, 896.0)))
    book = ledger(tmp_path)
    book.certify(replace(PASS, series=(curve,)))
    book.settle()
    (row,) = book.store.finish()
    assert row.series == (curve,)


def test_a_pass_whose_health_could_not_be_judged_is_an_error(tmp_path: Path) -> None:
    book = ledger(tmp_path, "Off", "Saved")
    book.certify(PASS, "Off")
    book.fail_with(HostUnreachable("hv", "no answer"), "call")
    assert outcomes(book) == {"Off": Outcome.ERROR, "Saved": Outcome.ERROR}


def test_each_parameter_has_the_time_of_its_own_part_and_all_add_up_to_the_whole(
    tmp_path: Path,
) -> None:
    def passes(book: Ledger, seconds: int) -> None:
        if book.counted:
            book.counted -= timedelta(seconds=seconds)
        else:
            book.started -= timedelta(seconds=seconds)

    book = ledger(tmp_path, "Saved", "Paused", "Off")
    for seconds, name in ((60, "Saved"), (20, "Paused"), (90, "Off")):
        passes(book, seconds)
        book.certify(PASS, name)
    passes(book, 5)  # the guest's health, for all of them
    book.settle()
    passes(book, 7)
    book.fail_with(HostUnreachable("hv", "no answer"), "teardown")
    times = {row.parameter: round(row.seconds) for row in book.store.results()}
    assert times == {"Saved": 72, "Paused": 20, "Off": 90}


def test_a_verdict_that_ends_a_case_early_holds_for_what_has_none_yet(tmp_path: Path) -> None:
    book = ledger(tmp_path, "Saved", "Paused", "Off")
    book.certify(PASS, "Saved")
    book.conclude(FAIL)
    assert [row.parameter for row in book.settle()] == ["Paused", "Off"]
    assert outcomes(book)["Saved"] is Outcome.PASS
