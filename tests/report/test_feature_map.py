"""The feature map: what is marked as supported, what is not, and what the page looks like."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.report.feature_map import Ran, feature_map, to_json, to_markdown
from harness.report.map_page import render_map
from harness.report.result import CaseResult, EvidenceFile, Try, anchor
from harness.verdict import Outcome
from tests.report.browser import ask

PROOF = EvidenceFile("evidence/NMI-01/01-x.txt", "cat /proc/interrupts", "guest", "0")
FACTS = {"distribution": "debian 12", "host build": "17763", "kernel": "6.1.0"}
PASS = CaseResult(
    case="NMI-01", feature="NMI", parameter="", guest="debian-12", host="hv-2019",
    outcome=Outcome.PASS, because="counted", evidence=(PROOF,), facts=FACTS,
)  # fmt: skip
FAIL = replace(PASS, case="NMI-02", outcome=Outcome.FAIL, because="lost")
ERROR = replace(PASS, case="NMI-02", outcome=Outcome.ERROR, because="HostUnreachable", facts={})
NOT_RUN = replace(ERROR, outcome=Outcome.NOT_RUN, because="no time")
RULE = replace(PASS, case="NMI-02", outcome=Outcome.NOT_APPLICABLE, because="no VMBus")


def drawn(*rows: CaseResult) -> str:
    """Return the state of the one square."""
    (squares,) = feature_map([Ran("run-1", "run-1", rows)]).features.values()
    (square,) = squares
    assert square is not None
    return square.state


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ((PASS,), "yes"),
        ((PASS, RULE), "yes"),
        ((PASS, FAIL), "partly"),
        ((FAIL,), "no"),
        ((FAIL, replace(FAIL, case="NMI-03", expected_failure="bug 1")), "no"),
        ((PASS, ERROR), "incomplete"),
        ((PASS, NOT_RUN), "incomplete"),
        ((RULE,), "n/a"),
        ((ERROR,), "unknown"),
        ((NOT_RUN, replace(RULE, case="NMI-03")), "unknown"),
    ],
)
def test_nothing_that_was_not_judged_is_marked_as_supported(
    rows: tuple[CaseResult, ...], state: str
) -> None:
    assert drawn(*rows) == state


def test_releases_of_both_sides_are_columns_and_a_guest_that_never_came_up_has_its_own() -> None:
    other = replace(PASS, guest="debian-13", facts={**FACTS, "distribution": "debian 13"})
    newer = replace(PASS, host="hv-2022", facts={**FACTS, "host build": "20348"})
    silent = replace(ERROR, guest="rhel-9")
    table = feature_map([Ran("run-1", "run-1", (PASS, other, newer, silent))])
    assert [(c.distribution, c.windows) for c in table.columns] == [
        ("debian 12", "Windows Server 2019"),
        ("debian 12", "Windows Server 2022"),
        ("debian 13", "Windows Server 2019"),
        ("rhel-9", "hv-2019 (not measured)"),
    ]
    assert [square.state if square else None for square in table.features["NMI"]] == [
        "yes",
        "yes",
        "yes",
        "unknown",
    ]


def test_of_two_runs_the_later_verdict_counts() -> None:
    again = replace(FAIL, outcome=Outcome.PASS, because="counted")
    table = feature_map([Ran("run-1", "run-1", (FAIL,)), Ran("run-2", "run-2", (again,))])
    assert [square.state for square in table.features["NMI"] if square] == ["yes"]


def test_notes_name_kernel_preparations_failures_and_later_tries_with_their_proof() -> None:
    prepared = replace(PASS, facts={**FACTS, "preparations": "/etc/x: because"})
    flaky = replace(PASS, case="NMI-03", earlier=(Try(Outcome.FAIL, "lost"),))
    table = feature_map([Ran("run-1", "../run-1", (prepared, FAIL, flaky))])
    assert [(note.text, note.link) for note in table.notes] == [
        ("with /etc/x: because", ""),
        ("kernel 6.1.0", ""),
        ("NMI-02: fail: lost", "../run-1/evidence/NMI-01/01-x.txt"),
        ("NMI-03: passed at try 2", "../run-1/evidence/NMI-01/01-x.txt"),
    ]


STAND_IN = {**FACTS, "banner": "STAND-IN"}
TABLE = feature_map(
    [Ran("run-1", "run-1", (replace(PASS, facts=STAND_IN), replace(FAIL, facts=STAND_IN)))]
)


@pytest.mark.parametrize("render", [to_markdown, render_map, to_json])
def test_a_stand_in_s_map_says_so_in_each_form(render: object) -> None:
    assert "STAND-IN" in render(TABLE)  # type: ignore[operator]  # one of the three above


def test_the_map_is_data_too() -> None:
    found = json.loads(to_json(TABLE))
    assert found["features"]["NMI"][0]["state"] == "partly"
    assert found["features"]["NMI"][0]["cases"] == {"NMI-01": "pass", "NMI-02": "fail"}


def test_each_case_leads_to_its_story_in_the_report() -> None:
    """A story is named after the first of the verdicts that one life of a guest gave."""
    shared = replace(FAIL, recording="recordings/one.jsonl")
    table = feature_map([Ran("run", "run", (shared, replace(shared, case="NMI-01")))])
    (square,) = table.features["NMI"]
    assert square is not None
    story = f"run/report.html#{anchor((replace(shared, case='NMI-01'),))}"
    assert square.links == {"NMI-01": story, "NMI-02": story}
    assert f'<a href="{story}">NMI-02</a> fail' in render_map(table)


def test_the_page_in_a_browser_has_marks_words_and_notes_that_lead_somewhere(
    tmp_path: Path,
) -> None:
    script = """const cell = document.querySelector("td");
      const link = cell.querySelector("a");
      const note = document.querySelector(cell.querySelector("sup a").getAttribute("href"));
      return [document.querySelector(".banner strong").textContent, link.textContent,
        link.getAttribute("aria-label"), link.getAttribute("href"), note.tagName,
        document.documentElement.scrollWidth <= document.documentElement.clientWidth]"""
    assert ask(tmp_path, render_map(TABLE), script, flags=("--window-size=1280,900",)) == [
        "STAND-IN", "◐", "NMI: some cases passed, others failed", "run-1/report.html", "LI", True,
    ]  # fmt: skip
