"""Reads the list of known issues: YAML → KnownIssue, all problems at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from harness.errors import InventoryError
from harness.inventory.load import document_of
from harness.inventory.report import Report
from harness.inventory.section import Section
from harness.inventory.values import parse_case
from harness.report.known import KnownIssue

LIST = "known"
ANY = "*"


def load_known(path: Path) -> tuple[KnownIssue, ...]:
    """Read the file; raise InventoryError with every problem, each with its place in the list."""
    report = Report()
    found = document_of(path, report)
    if not isinstance(found, list):
        report.problem("", "the file must be a list: - case: NMI-01 and so on")
        raise InventoryError(str(path), tuple(report.problems))
    top = Section({LIST: found}, "", report, path.absolute().parent)
    issues = tuple(_issue(section) for section in top.sections(LIST))
    if report.problems:
        raise InventoryError(str(path), tuple(dict.fromkeys(report.problems)))
    return issues


def _issue(section: Section) -> KnownIssue:
    issue = KnownIssue(
        case=section.parsed("case", parse_case, ""),
        guest=section.text("guest", ANY),
        host=section.text("host", ANY),
        reason=section.text("reason"),
        link=section.text("link"),
        expires=section.parsed("expires", _day, date.max),
    )
    section.only("case", "guest", "host", "reason", "link", "expires")
    return issue


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no day: write it as 2026-12-31") from None
