"""What was judged is on disk at once, and what was not judged is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import ResultsError
from harness.evidence import Evidence
from harness.report.result import CaseResult, exit_status
from harness.report.store import Store
from harness.verdict import Outcome


def row(case: str, outcome: Outcome = Outcome.PASS, expected: str = "") -> CaseResult:
    return CaseResult(case, "NMI", "", "debian-12", "hv", outcome, "because", expected)


def test_evidence_is_kept_verbatim_and_numbered(tmp_path: Path) -> None:
    store = Store(tmp_path)
    raw = "  NMI:  1  0\r\n\x1b[0m\udcff"
    first, second = store.keep(
        "NMI-01",
        (
            Evidence("cat /proc/interrupts", raw),
            Evidence("dmesg", "x"),
        ),
    )
    assert first.path == "evidence/NMI-01/01-cat-proc-interrupts.txt"
    assert second.path == "evidence/NMI-01/02-dmesg.txt"
    assert (tmp_path / first.path).read_bytes() == raw.encode("utf-8", "surrogateescape")


def test_the_same_text_is_kept_once_and_later_texts_do_not_overwrite(tmp_path: Path) -> None:
    store = Store(tmp_path)
    piece = Evidence("dmesg", "x")
    assert len(store.keep("a", (piece, piece))) == 1
    assert store.keep("a", (Evidence("dmesg", "y"),))[0].path == "evidence/a/02-dmesg.txt"


def test_a_picture_is_kept_as_a_file_that_a_browser_shows(tmp_path: Path) -> None:
    (kept,) = Store(tmp_path).keep("FB-02", (Evidence("thumbnail", "4 x 2", "host", b"PNG"),))
    assert kept.path == "evidence/FB-02/01-thumbnail.png"
    assert (tmp_path / kept.path).read_bytes() == b"PNG"


def test_a_planned_case_without_a_verdict_is_not_run(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.plan([row("NMI-01", Outcome.NOT_RUN), row("NMI-02", Outcome.NOT_RUN)])
    store.append(row("NMI-01"))
    assert [(r.case, r.outcome.value) for r in store.finish()] == [
        ("NMI-01", "pass"),
        ("NMI-02", "not-run"),
    ]


def test_verdicts_of_all_workers_are_joined_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    Store(tmp_path, "gw0").append(row("NMI-01"))
    Store(tmp_path, "gw1").append(row("NMI-02"))
    with (tmp_path / "verdicts-gw1.jsonl").open("a") as file:
        file.write('{"case": "MMIO-0')
    assert [r.case for r in Store(tmp_path).finish()] == ["NMI-01", "NMI-02"]
    lines = (tmp_path / "verdicts.jsonl").read_text().splitlines()
    assert [json.loads(line)["case"] for line in lines] == ["NMI-01", "NMI-02"]


def test_an_error_after_a_pass_is_not_hidden(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(row("NMI-01"))
    store.append(row("NMI-01", Outcome.ERROR))
    assert [r.outcome for r in store.results()] == [Outcome.ERROR]


def test_results_that_cannot_be_written_say_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"cannot write results .* --results"):
        Store(tmp_path / "file" / "run").create({})


def test_latest_points_to_the_newest_run(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Store(tmp_path / name).create({"run": name})
    assert (tmp_path / "latest").resolve() == tmp_path / "b"


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ((row("a"), row("b", Outcome.NOT_APPLICABLE)), 0),
        ((row("a"), row("b", Outcome.FAIL)), 1),
        ((row("a", Outcome.FAIL, expected="known"),), 0),
        ((row("a", Outcome.PASS, expected="known"),), 1),
        ((row("a", Outcome.FAIL), row("b", Outcome.ERROR)), 2),
        ((row("a"), row("b", Outcome.NOT_RUN)), 2),
        ((), 2),
    ],
)
def test_the_exit_status_tells_fail_from_error(rows: tuple[CaseResult, ...], status: int) -> None:
    assert exit_status(rows) == status
