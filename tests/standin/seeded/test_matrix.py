"""The detection matrix: what counts as noticed, and what is red."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from harness.errors import LabError
from harness.standin import selftest
from harness.standin.seeded.fault import Cell
from harness.standin.seeded.matrix import Row, Square, compare, render

CELLS = (
    Cell("MMIO-02", r"accepted a gap of \d+", r"Set-VM (64|126) MiB", windows=("2019",)),
    Cell("NMI-01", "lost", outcomes=("pass", "error")),
)
LOST = Row("NMI-01", "", "error", "HostConnectionLost: lost")
OTHER = Row("NMI-02", "Off", "pass", "refused")
NOTICED = (
    Row("MMIO-02", "Set-VM 64 MiB", "fail", "the host accepted a gap of 64 MiB"),
    Row("MMIO-02", "Set-VM 3586 MiB", "pass", "the host refused"),
)


def red(*rows: Row, windows: str = "2019") -> list[str]:
    return [s.problem for s in compare(CELLS, rows, windows) if s.problem]


def test_a_fault_that_is_noticed_as_it_was_said_is_not_red() -> None:
    assert red(*NOTICED, LOST, OTHER) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (Row("MMIO-02", "Set-VM 64 MiB", "pass", "refused"), "pass, not fail: refused"),
        (Row("MMIO-02", "Set-VM 64 MiB", "error", "no disk"), "error, not fail: no disk"),
        (Row("MMIO-02", "Set-VM 64 MiB", "fail", "oops"), "fail for another reason than"),
        (Row("NMI-02", "Off", "fail", "oops"), "fail without a cell: oops"),
        (Row("NMI-02", "Off", "not-run", ""), "not-run without a cell"),
    ],
)
def test_what_ends_otherwise_is_red(row: Row, said: str) -> None:
    rest = [r for r in (*NOTICED, LOST, OTHER) if r.title != row.title]
    (problem,) = red(row, *rest)
    assert problem.startswith(said)


def test_a_fault_that_nothing_noticed_is_red() -> None:
    assert red(LOST) == ["no verdict of this kind was reached"]


def test_cells_of_another_release_do_not_count() -> None:
    assert red(LOST, windows="2012r2") == []


def test_the_matrix_shows_faults_down_cases_across_and_red_squares_below() -> None:
    good = compare(CELLS, (*NOTICED, LOST), "2019")
    bad = compare(CELLS, (LOST,), "2019")
    assert render({"gap-x": good, "gap-longer": bad}).splitlines() == [
        "fault      MMIO-02 NMI-01",
        "gap-x      F.      E",
        "gap-longer ?!      E",
        "RED gap-longer: MMIO-02[Set-VM (64|126) MiB]: no verdict of this kind was reached",
    ]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let runs end at once: nmi-lost is noticed, job-fails is not."""
    done: list[str] = []
    said = "injection 3 was not seen within 10 s; CPU 0 counted 2 NMIs, not 5"
    row = {"case": "NMI-01", "parameter": "", "because": said, "facts": {"host build": "17763"}}

    def run(command: tuple[str, ...], **_: object) -> subprocess.CompletedProcess[str]:
        given = dict(
            part.split("=", 1) for part in command if part.startswith("--") and "=" in part
        )
        if "--fault" in given:
            done.append(given["--fault"])
            outcome = "fail" if given["--fault"] == "nmi-lost" else "pass"
            latest = Path(given["--results"]) / "latest"
            latest.parent.mkdir(parents=True, exist_ok=True)
            (latest.parent / "run").mkdir()
            latest.symlink_to("run")
            (latest / "verdicts.jsonl").write_text(json.dumps(row | {"outcome": outcome}) + "\n")
        return subprocess.CompletedProcess(command, 1, "v1", "")

    monkeypatch.setattr(subprocess, "run", run)
    return done


def test_a_second_sitting_on_the_same_commit_goes_on_where_the_first_stopped(
    runs: list[str], tmp_path: Path
) -> None:
    said: list[str] = []
    assert selftest.selftest(["nmi-lost"], tmp_path, [], said.append) == 0
    assert selftest.selftest(["nmi-lost", "job-fails"], tmp_path, [], said.append) == 1
    assert runs == ["nmi-lost", "job-fails"]
    assert "RED job-fails: MMIO-02[WMI .*]: no verdict" in said[-1]
    assert Square(**json.loads((tmp_path / "matrix.json").read_text())["nmi-lost"]["squares"][0])


def test_an_unknown_fault_runs_nothing(runs: list[str], tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no fault is named 'x-y'"):
        selftest.selftest(["x-y"], tmp_path, [], print)
    assert runs == []
