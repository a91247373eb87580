"""JUnit XML that Jenkins' own schema accepts (its ``junit-10.xsd``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from xml.etree import ElementTree as ET

from junit_xml import TestCase, TestSuite, to_xml_report_string

from harness.report.result import CaseResult
from harness.verdict import Outcome

# junit-xml writes more than the schema knows (`disabled`, `assertions`, …) and times as it likes.
ALLOWED = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {
        "name",
        "tests",
        "failures",
        "errors",
        "time",
        "skipped",
        "timestamp",
        "hostname",
    },
    "testcase": {"name", "time", "classname"},
}

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(results: Iterable[CaseResult], *, known_skipped: bool = False) -> str:
    """Return one document: a suite per guest and place, a test case per case and parameter.

    ``known_skipped``: a fail that is a known issue is skipped, not a failure.
    """
    ordered = sorted(results, key=lambda r: (r.guest, r.place, r.case, r.parameter))
    grouped = groupby(ordered, key=lambda r: (r.guest, r.place))
    suites = [
        _suite(guest, place, tuple(rows), skipped=known_skipped) for (guest, place), rows in grouped
    ]
    named = {(_classname(row), row.title): row for row in ordered if row.earlier}
    return _conform(to_xml_report_string(suites, prettyprint=False), named)


def suite_name(guest: str, place: str, banner: str) -> str:
    """Return the suite's name; a stand-in's says so before anything else."""
    return " ".join(filter(None, (banner, "hvcert", f"{guest} on {place}")))


def _suite(guest: str, place: str, rows: tuple[CaseResult, ...], *, skipped: bool) -> TestSuite:
    facts: dict[str, str] = {}
    for row in rows:
        facts |= row.facts
    return TestSuite(
        suite_name(guest, place, facts.get("banner", "")),
        [_case(row, known_skipped=skipped) for row in rows],
        hostname=", ".join(sorted({row.host for row in rows})),
        timestamp=min((row.started for row in rows if row.started), default=None),
        properties={name: _clean(value) for name, value in sorted(facts.items())},
    )


def _case(row: CaseResult, *, known_skipped: bool) -> TestCase:
    row = replace(row, because=_clean(row.because), expected_failure=_clean(row.expected_failure))
    case = TestCase(
        row.title,
        classname=_classname(row),
        elapsed_sec=row.seconds,
        stdout=_text(row),
    )
    if row.word == "known" and known_skipped:
        case.add_skipped_info(message=_clean(f"known: {row.known}: {row.because}"))
    elif row.outcome is Outcome.FAIL:
        kind = "expected-failure" if row.expected_failure else "verdict"
        kind = "known-issue" if row.known else kind
        case.add_failure_info(message=row.because, failure_type=kind)
    elif row.outcome is Outcome.PASS and row.expected_failure:
        said = f"passed, but a fail was expected: {row.expected_failure}"
        case.add_failure_info(message=said, failure_type="unexpected-pass")
    elif row.outcome is Outcome.ERROR:
        case.add_error_info(message=row.because, error_type="harness")
    elif row.outcome in (Outcome.NOT_APPLICABLE, Outcome.NOT_RUN):
        case.add_skipped_info(message=f"{row.outcome.value}: {row.because}")
    return case


def _classname(row: CaseResult) -> str:
    """Return the name under which a CI follows a case over nights: a pool's, not today's host."""
    return f"hvcert.{row.feature}.{row.guest}@{row.place}"


def _text(row: CaseResult) -> str:
    """Return what a person reads when they open the test case in their CI."""
    lines = [f"{row.word}: {row.because}"]
    if row.expected_failure:
        lines.append(f"expected failure: {row.expected_failure}")
    if row.known:
        lines.append(f"known issue: {row.known}")
    lines += row.story
    lines += [f"{name}: {value}" for name, value in sorted(row.facts.items()) if value]
    lines += [f"evidence: {e.path} ({e.where}: {e.asked})" for e in row.evidence]
    return _clean("\n".join(lines))


def _clean(text: str) -> str:
    """Return the text without what XML 1.0 cannot hold (a guest's log may hold anything)."""
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _add_tries(root: ET.Element, rows: Mapping[tuple[str, str], CaseResult]) -> None:
    """Add earlier tries as Maven's surefire does, and Jenkins and GitLab read it: one test case.

    A case that passed at last has ``flakyFailure`` or ``flakyError``; one that never did has
    ``rerunFailure`` or ``rerunError``.
    """
    for element in root.iter("testcase"):
        row = rows.get((element.get("classname", ""), element.get("name", "")))
        for number, tried in enumerate(row.earlier if row else ()):
            kind = "Error" if tried.outcome is Outcome.ERROR else "Failure"
            name = f"{'flaky' if row and row.flaky else 'rerun'}{kind}"
            added = ET.Element(name, message=_clean(tried.because), type=tried.outcome.value)
            added.text = _clean(
                "\n".join(f"evidence: {e.path} ({e.asked})" for e in tried.evidence)
            )
            element.insert(_verdicts(element) + number, added)


def _verdicts(element: ET.Element) -> int:
    """Return how many children stand before what follows a verdict: its output."""
    return sum(child.tag in ("skipped", "error", "failure") for child in element)


def _conform(text: str, rows: Mapping[tuple[str, str], CaseResult]) -> str:
    root = ET.fromstring(text)  # noqa: S314  # we rendered it a line above
    for element in root.iter():
        allowed = ALLOWED.get(element.tag)
        if allowed is None:
            continue
        for name in set(element.attrib) - allowed:
            del element.attrib[name]
        if "time" in element.attrib:
            element.set("time", f"{float(element.attrib['time']):.3f}")
    _add_tries(root, rows)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
