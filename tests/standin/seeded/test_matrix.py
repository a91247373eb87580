"""The detection matrix: what counts as noticed, and what is red."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import LabError
from harness.standin import selftest
from harness.standin.__main__ import main
from harness.standin.seeded.fault import Cell
from harness.standin.seeded.kept import archives, unpack, unpacked
from harness.standin.seeded.matrix import Row, Square, compare, document, render, stamps
from harness.standin.selftest import Kept, Sitting

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


def test_a_broken_wire_may_touch_any_case_as_an_error_of_the_host_and_as_nothing_else() -> None:
    lost = Row("KX-01", "", "error", "HostConnectionLost: host hv: the connection broke")
    others = (
        Row("KX-01", "", "error", "ValueError in the harness: x"),
        Row("KX-01", "", "fail", "the host lost the VM"),
    )
    assert [s.problem for s in compare((), (lost,), "2019", wire=True)] == [""]
    assert all(s.problem for s in compare((), others, "2019", wire=True))
    assert all(s.problem for s in compare((), (lost,), "2019"))


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
    """Let runs end at once: nmi-lost is noticed, job-fails is not, all other cases pass."""
    done: list[str] = []
    said = "injection 3 was not seen within 10 s; CPU 0 counted 2 NMIs, not 5"
    row = {"parameter": "", "because": said, "facts": {"host build": "17763"}}

    def run(command: tuple[str, ...], **_: object) -> subprocess.CompletedProcess[str]:
        given = dict(
            part.split("=", 1) for part in command if part.startswith("--") and "=" in part
        )
        if "--fault" in given:
            done.append(given["--fault"])
            asked = re.findall(r"[A-Z]+-\d+", command[command.index("--select") + 1])
            noticed = "fail" if given["--fault"] == "nmi-lost" else "pass"
            ends = {"NMI-01": noticed} if "NMI-01" in asked else dict.fromkeys(asked, "pass")
            latest = Path(given["--results"]) / "latest"
            latest.parent.mkdir(parents=True, exist_ok=True)
            (latest.parent / "run" / "recordings").mkdir(parents=True, exist_ok=True)
            latest.symlink_to("run")
            (latest / "run.json").write_text('{"run": "r", "controller": "somebody"}')
            (latest / "inventory.yaml").write_text("hosts: []")
            rows = (json.dumps(row | {"case": c, "outcome": o}) + "\n" for c, o in ends.items())
            (latest / "verdicts.jsonl").write_text("".join(rows))
            for case in ends:
                (latest / "recordings" / f"{case}.jsonl").write_text(f"{case}\n")
        return subprocess.CompletedProcess(command, 1, "" if "status" in command else "v1", "")

    monkeypatch.setattr(subprocess, "run", run)
    return done


def test_a_second_sitting_on_the_same_commit_goes_on_where_the_first_stopped(
    runs: list[str], tmp_path: Path
) -> None:
    said: list[str] = []
    sitting = Sitting(tmp_path)
    assert selftest.selftest(["nmi-lost"], sitting, said.append) == 0
    assert selftest.selftest(["nmi-lost", "job-fails"], sitting, said.append) == 1
    assert runs == ["nmi-lost", "job-fails"]
    assert "RED job-fails: MMIO-02[WMI .*]: no verdict" in said[-1]
    assert Square(**json.loads((tmp_path / "matrix.json").read_text())["nmi-lost"]["squares"][0])


def test_a_row_of_an_earlier_commit_is_run_again_unless_it_is_said_to_do(
    runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert selftest.selftest(["nmi-lost"], Sitting(tmp_path), print) == 0
    monkeypatch.setattr(selftest, "_commit", lambda: "v2")
    assert selftest.selftest(["nmi-lost"], Sitting(tmp_path, stale=True), print) == 0
    assert runs == ["nmi-lost"]
    assert selftest.selftest(["nmi-lost"], Sitting(tmp_path), print) == 0
    assert runs == ["nmi-lost", "nmi-lost"]


def test_a_row_without_a_red_square_is_kept_with_its_recordings_and_in_the_document(
    runs: list[str], tmp_path: Path
) -> None:
    kept = Kept(tmp_path / "kept", tmp_path / "matrix.md")
    names = ["nmi-lost", "job-fails"]
    assert selftest.selftest(names, Sitting(tmp_path / "r", kept=kept), print) == 1
    assert runs == names
    assert [path.name for path in kept.recordings.iterdir()] == ["nmi-lost.tar.xz"]
    unpack(kept.recordings / "nmi-lost.tar.xz", tmp_path / "unpacked")
    assert json.loads((tmp_path / "unpacked" / "run.json").read_text()) == {"run": "r"}
    lines = kept.document.read_text().splitlines()
    row = f"| nmi-lost |  | F | v1 | {datetime.now(UTC):%Y-%m-%d} |"
    assert lines[-3:-1] == ["|---|:-:|:-:|---|---|", lines[-2]]
    assert row in lines


def test_a_kept_row_is_completed_by_the_sentinels_that_it_lacks_and_by_nothing_else(
    runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(tmp_path / "kept", tmp_path / "matrix.md")
    whole = Sitting(tmp_path / "r", kept=kept)
    assert selftest.selftest(["nmi-lost"], whole, print) == 0
    monkeypatch.setattr(selftest, "_commit", lambda: "v2")
    completing = Sitting(tmp_path / "more", kept=kept, complete=True)
    assert selftest.selftest(["nmi-lost"], completing, print) == 0
    assert selftest.selftest(["nmi-lost"], completing, print) == 0
    assert runs == ["nmi-lost", "nmi-lost"]
    kept_of = archives(kept.recordings)["nmi-lost"]
    assert [path.name for path in kept_of] == ["nmi-lost.tar.xz", "nmi-lost.2.tar.xz"]
    with unpacked(kept_of) as (_, more):
        recorded = {path.stem for path in (more / "recordings").iterdir()}
    assert recorded == {"MMIO-01", "KX-01", "FB-02", "VHD-03", "BAK-02", "DM-05"}
    row = f"| nmi-lost | . | . | . | . | . | F | . | v1, v2 | {datetime.now(UTC):%Y-%m-%d} |"
    assert row in kept.document.read_text().splitlines()


def test_a_row_that_is_run_anew_does_not_keep_what_completed_the_old_one(
    runs: list[str], tmp_path: Path
) -> None:
    kept = Kept(tmp_path / "kept", tmp_path / "matrix.md")
    for folder, complete in (("a", False), ("b", True), ("c", False)):
        sitting = Sitting(tmp_path / folder, kept=kept, complete=complete)
        assert selftest.selftest(["nmi-lost"], sitting, print) == 0
    assert runs == ["nmi-lost"] * 3
    assert [path.name for path in kept.recordings.iterdir()] == ["nmi-lost.tar.xz"]


@pytest.mark.usefixtures("runs")
def test_a_sentinel_that_notices_a_fault_is_red_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(tmp_path / "kept", tmp_path / "matrix.md")
    assert selftest.selftest(["nmi-lost"], Sitting(tmp_path / "r", kept=kept), print) == 0
    monkeypatch.setattr(selftest, "SENTINELS", {"KX": "KX-01"})
    finished: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run

    def run(command: tuple[str, ...], **options: object) -> subprocess.CompletedProcess[str]:
        done = finished(command, **options)
        if "--select" in command:
            verdicts = tmp_path / "more" / "nmi-lost" / "latest" / "verdicts.jsonl"
            verdicts.write_text(verdicts.read_text().replace('"pass"', '"fail"'))
        return done

    monkeypatch.setattr(subprocess, "run", run)
    said: list[str] = []
    completing = Sitting(tmp_path / "more", kept=kept, complete=True)
    assert selftest.selftest(["nmi-lost"], completing, said.append) == 1
    assert "RED nmi-lost: KX-01: fail without a cell" in said[-1]
    assert [path.name for path in kept.recordings.iterdir()] == ["nmi-lost.tar.xz"]
    assert "F!" in kept.document.read_text()


def test_the_days_and_commits_of_the_rows_are_read_from_the_document() -> None:
    rows = {"nmi-lost": {"commit": "v1, v2", "at": "2026-11-28T01:02:03", "squares": []}}
    assert stamps(document(rows)) == {"nmi-lost": ("v1, v2", "2026-11-28")}
    assert stamps("") == {}


def test_an_unknown_fault_runs_nothing(runs: list[str], tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no fault is named 'x-y'"):
        selftest.selftest(["x-y"], Sitting(tmp_path), print)
    assert runs == []


def test_other_features_have_a_sentinel_each_and_a_fault_s_own_feature_has_none() -> None:
    whole = selftest._selection("gap-off-by-one-mb", few=False)  # noqa: SLF001  # what is run
    assert whole == (
        "MMIO-01 or MMIO-02 or MMIO-03 or NMI-01 or KX-01 or FB-02 or VHD-03 or BAK-02"
        " or (DM-05 and not stock)"
    )
    few = selftest._selection("dump-disk-full", few=True)  # noqa: SLF001
    assert few == "KD-01 or KD-02 or NMI-01 or (MMIO-01 and 1024)"


RECORDED = Path(__file__).parents[2] / "recorded" / "matrix"


def test_the_kept_runs_of_all_faults_end_as_it_was_said_before_they_were_built() -> None:
    said: list[str] = []
    assert selftest.quick(RECORDED, said.append) == 0, said[-1]
    assert "RED" not in said[-1], said[-1]


def test_a_fault_that_no_case_notices_and_one_without_a_recording_are_red(tmp_path: Path) -> None:
    """The recording of a lost NMI is shown as one of a fault that other cases must notice."""
    copied = tmp_path / "job-fails.tar.xz"
    copied.write_bytes((RECORDED / "nmi-lost.tar.xz").read_bytes())
    said: list[str] = []
    assert selftest.quick(tmp_path, said.append) == 1
    assert "RED job-fails: NMI-01: fail without a cell" in said[-1]
    assert "RED job-fails: MMIO-02[WMI .*]: no verdict of this kind was reached" in said[-1]
    assert "RED nmi-lost: no recording: run the full matrix with --keep" in said[-1]


def test_the_command_hands_options_of_the_run_on(runs: list[str], tmp_path: Path) -> None:
    given = ["selftest", f"--results={tmp_path}", "--fault=nmi-lost", "--", "-n2"]
    assert main(given) == 0
    assert runs == ["nmi-lost"]
