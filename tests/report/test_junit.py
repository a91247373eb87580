"""The report must be what Jenkins' own schema accepts, whatever the verdicts say."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from harness.report.junit import render_junit
from harness.report.result import CaseResult, EvidenceFile
from harness.verdict import Outcome

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "schemas" / "junit-10.xsd"))
FACTS = {"host build": "17763", "kernel": "6.1.0", "platform": "stand-in", "banner": "STAND-IN"}


def row(outcome: Outcome, because: str = "because", **more: object) -> CaseResult:
    base: dict[str, object] = {
        "case": "NMI-01",
        "feature": "NMI",
        "parameter": "",
        "guest": "debian-12",
        "host": "hv",
        "outcome": outcome,
        "because": because,
        "started": "2026-11-23T10:00:00+00:00",
        "seconds": 12.3456,
        "facts": FACTS,
        "evidence": (
            EvidenceFile("evidence/NMI-01/01-x.txt", "cat /proc/interrupts", "guest", ""),
        ),
    }
    return CaseResult(**(base | more))  # type: ignore[arg-type]  # a record built from a table


def rendered(*rows: CaseResult) -> etree._Element:
    document = etree.fromstring(render_junit(rows).encode())
    SCHEMA.assertValid(document)
    return document


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("because", ["plain", "<&>\"' \x1b[31m \x00 \ud800 ü", "x" * 100_000])
def test_every_outcome_is_valid_against_the_schema_of_jenkins(
    outcome: Outcome, because: str
) -> None:
    rendered(row(outcome, because), row(outcome, because, parameter="2", expected_failure="known"))


def test_a_harness_error_is_an_error_and_never_a_failure() -> None:
    case = rendered(row(Outcome.ERROR)).find(".//testcase")
    assert case is not None
    assert [child.tag for child in case if child.tag != "system-out"] == ["error"]


def test_what_was_not_judged_is_skipped_with_its_reason() -> None:
    document = rendered(row(Outcome.NOT_RUN, "interrupted"), row(Outcome.NOT_APPLICABLE, "gen 2"))
    said = {skipped.get("message") for skipped in document.iter("skipped")}
    assert said == {"not-run: interrupted", "not-applicable: gen 2"}


def test_an_expected_failure_that_passes_is_a_failure() -> None:
    failure = rendered(row(Outcome.PASS, expected_failure="bug 1")).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "passed, but a fail was expected: bug 1"


def test_a_stand_in_run_says_so_in_the_suite_name() -> None:
    suite = rendered(row(Outcome.PASS)).find(".//testsuite")
    assert suite is not None
    assert suite.get("name") == "STAND-IN hvcert debian-12 on hv"


def test_the_suite_carries_what_was_measured_and_each_case_points_to_its_evidence() -> None:
    document = rendered(row(Outcome.PASS))
    properties = {p.get("name"): p.get("value") for p in document.iter("property")}
    assert properties == FACTS
    assert "evidence/NMI-01/01-x.txt" in document.findtext(".//system-out", "")


def test_one_suite_per_guest_and_host_one_case_per_case_and_parameter() -> None:
    document = rendered(
        row(Outcome.PASS, parameter="a"),
        row(Outcome.FAIL, parameter="b"),
        row(Outcome.PASS, guest="rhel-9"),
    )
    assert [s.get("tests") for s in document.iter("testsuite")] == ["2", "1"]
    assert [c.get("name") for c in document.iter("testcase")] == [
        "NMI-01[a]",
        "NMI-01[b]",
        "NMI-01",
    ]
