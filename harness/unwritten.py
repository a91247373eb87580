"""Verdicts that a worker could not write to its disk: they come with its reports, as errors.

A worker's reports go to the controller through a pipe, which needs no room on any disk.
"""

from __future__ import annotations

import json
from typing import Protocol

from harness.report.result import CaseResult, from_json, to_json

NAME = "hvcert-unwritten"


class Report(Protocol):
    """What is needed of pytest's report of a test."""

    user_properties: list[tuple[str, object]]


def attach(report: Report, rows: list[CaseResult]) -> None:
    """Let the rows travel with a report."""
    report.user_properties.extend((NAME, json.dumps(to_json(row))) for row in rows)


class Unwritten:
    """A pytest plugin of the controller: keeps the rows until they can be written."""

    def __init__(self) -> None:
        self.rows: list[CaseResult] = []

    def pytest_runtest_logreport(self, report: Report) -> None:
        """Take the rows of a report."""
        for name, text in report.user_properties:
            if name == NAME:
                self.rows.append(from_json(json.loads(str(text))))
