"""What the watcher of a run makes of it: its own folder, its exit status, and signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from harness.deadline import wait_for
from harness.report.result import CaseResult, to_json
from harness.verdict import Outcome
from harness.watch import watch

ROOT = Path(__file__).parent.parent
WATCH = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN);"  # a background job
WATCH += "from pathlib import Path; from harness.watch import watch;"
WATCH += "sys.exit(watch(sys.argv[2:], Path(sys.argv[1])))"
SLOW = """
import signal, sys, time
from pathlib import Path
def interrupt(number, frame): raise KeyboardInterrupt
signal.signal(signal.SIGTERM, interrupt)  # as the plugin does
folder = Path(sys.argv[1])
try:
    Path(sys.argv[3]).touch()
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(2)  # the clean-up
    folder.mkdir()
    (folder / "verdicts.jsonl").write_text(sys.argv[2] + "\\n")
    sys.exit(2)
"""


def row(outcome: Outcome) -> str:
    return json.dumps(to_json(CaseResult("NMI-01", "NMI", "", "g", "h", outcome, "because")))


def write(folder: Path, outcome: Outcome) -> None:
    folder.mkdir()
    (folder / "verdicts.jsonl").write_text(row(outcome) + "\n")


@pytest.mark.parametrize(
    ("outcome", "status"), [(Outcome.PASS, 0), (Outcome.FAIL, 1), (Outcome.ERROR, 2)]
)
def test_the_status_is_that_of_the_verdicts(tmp_path: Path, outcome: Outcome, status: int) -> None:
    write(tmp_path / "mine", outcome)
    assert watch([sys.executable, "-c", ""], tmp_path / "mine") == status


def test_another_run_into_the_same_results_is_not_taken_for_this_one(tmp_path: Path) -> None:
    write(tmp_path / "other", Outcome.PASS)
    (tmp_path / "latest").symlink_to("other")
    assert watch([sys.executable, "-c", ""], tmp_path / "mine") == 2


def test_a_run_that_never_opened_says_why_and_nothing_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = "print('=== test session ==='); print('ERROR: host hv: busy'); exit(4)"
    assert watch([sys.executable, "-c", said], tmp_path / "mine") == 2
    assert capfd.readouterr().err.split("\n") == ["host hv: busy", ""]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_once_and_a_second_one_spares_its_clean_up(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "mine"
    begun = tmp_path / "begun"
    child = (sys.executable, "-c", SLOW, str(folder), row(Outcome.NOT_RUN), str(begun))
    argv = (sys.executable, "-c", WATCH, str(folder), *child)
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, cwd=ROOT) as watcher:
        wait_for("its child", lambda: begun.exists() or None, timedelta(seconds=60))
        watcher.send_signal(number)
        watcher.send_signal(number)
        _, said = watcher.communicate(timeout=60)
    assert watcher.returncode == 2
    assert "1 of 1 verdicts were not reached" in said
    assert "Traceback" not in said
