"""A run is judged again from its recording, with no host."""

from __future__ import annotations

import json
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from harness.cli import app
from harness.errors import HostConnectionLost, ReplayError, ResultsError
from harness.evidence import Evidence
from harness.host.command import Call, Cmdlet
from harness.host.facts import measure_host
from harness.host.render import render_call
from harness.host.session import Answer, HostObject, HostValue
from harness.record.recorder import RecordedSession, Recorder
from harness.record.tape import Player
from harness.replay import differences, replay
from harness.report.result import CaseResult, to_json
from harness.standin.seeded.kept import unpack
from harness.verdict import Outcome

ROOT = Path(__file__).parent.parent
CASE = """
import pytest
from harness.host.command import Cmdlet
from harness.verdict import pass_if

pytestmark = pytest.mark.feature("Host")

@pytest.mark.case("HOST-01")
def test_the_vm_is_off(host, certify):
    answer = host.session.run(Cmdlet("Get-VM", {"Name": "a"}))
    state = answer.one().string("State")
    certify(pass_if(state == "Off", f"the VM is {state}", (answer.evidence,)))
"""
RECORDING = "recordings/HOST-01-debian-12@hv-2019.jsonl"


class Host:
    """Answers every question with one object that has whatever is asked of it."""

    name = "hv-2019"

    def run(self, call: Call, *, within: timedelta = timedelta(0)) -> Answer:  # noqa: ARG002
        numbers = (
            "BuildNumber",
            "TotalVisibleMemorySize",
            "FreePhysicalMemory",
            "NumberOfLogicalProcessors",
        )
        texts = ("Caption", "Name", "Manufacturer", "Model", "OEMStringArray")
        known: dict[str, HostValue] = {
            **dict.fromkeys(numbers, 17763),
            **dict.fromkeys(texts, "x"),
            "State": "Off",
        }
        said = "\n".join(f"{name}: {value}" for name, value in known.items())
        asked = Evidence(render_call(call), said, "host hv-2019")
        return Answer((HostObject(("Thing",), known),), asked)

    def close(self) -> None:
        pass


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "test_host.py"
    path.write_text(CASE)
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Make the folder of a run in which HOST-01 passed."""
    folder = tmp_path / "20261125-101112-abcdef"
    recorder = Recorder()
    session = RecordedSession(Host(), recorder)
    with recorder.case(folder / RECORDING, "gw0", "HOST-01"):
        measure_host(session)
        session.run(Cmdlet("Get-VM", {"Name": "a"}))
    passed = CaseResult(
        "HOST-01", "Host", "", "debian-12", "hv-2019", Outcome.PASS, "", recording=RECORDING
    )
    (folder / "verdicts.jsonl").write_text(json.dumps(to_json(passed)) + "\n")
    (folder / "run.json").write_text(json.dumps({"run": folder.name}))
    (folder / "inventory.yaml").write_text((ROOT / "inventories" / "embedded.yaml").read_text())
    return folder


def test_a_recorded_run_reaches_the_same_verdicts_without_a_host(run: Path, cases: Path) -> None:
    now, differ = replay(run, cases)
    assert differ == ()
    assert [(row.title, row.outcome) for row in now] == [("HOST-01", Outcome.PASS)]
    assert (run / "replay" / now[0].evidence[0].path).read_text().endswith("State: Off")


def test_a_host_that_answered_otherwise_is_judged_otherwise(run: Path, cases: Path) -> None:
    text = (run / RECORDING).read_text()
    (run / RECORDING).write_text(text.replace('"State":"Off"', '"State":"Running"'))
    (differ,) = replay(run, cases)[1]
    assert differ.now is not None
    assert differ.now.outcome is Outcome.FAIL
    assert str(differ) == "HOST-01 debian-12@hv-2019: pass () -> fail (the VM is Running)"


def test_a_recording_that_ends_early_is_an_error_and_never_a_verdict(
    run: Path, cases: Path
) -> None:
    lines = (run / RECORDING).read_text().splitlines(keepends=True)
    (run / RECORDING).write_text("".join(lines[:-2]))
    (differ,) = replay(run, cases)[1]
    assert differ.now is not None
    assert differ.now.outcome is Outcome.ERROR
    assert "no further answer of hv-2019 to Get-VM -Name 'a'" in differ.now.because


def test_a_case_that_had_no_turn_on_its_host_has_none_in_a_replay(tmp_path: Path) -> None:
    refused = HostConnectionLost("hv-2019", "the connection broke in New-Item", "look at it")
    recorder = Recorder()
    with recorder.case(tmp_path / "r.jsonl", "gw0", "KX-01"):
        recorder.admit("hv-2019", None)
        with pytest.raises(HostConnectionLost):
            recorder.admit("hv-2019", refused)
    player = Player()
    with (
        player.case(tmp_path / "r.jsonl", "gw0", "KX-01"),
        pytest.raises(HostConnectionLost, match="the connection broke in New-Item"),
    ):
        player.admit("hv-2019", None)


def test_a_folder_without_a_recording_is_said(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"no verdicts\.jsonl"):
        replay(tmp_path)
    (tmp_path / "verdicts.jsonl").write_text("")
    with pytest.raises(ReplayError, match="was not recorded"):
        replay(tmp_path)


@pytest.mark.parametrize("command", ["replay", "judge"])
def test_the_commands_list_what_differs_and_end_with_status_1_then(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unpack(ROOT / "tests" / "recorded" / "matrix" / "nmi-lost.tar.xz", tmp_path / "run")
    assert hvcert(command, tmp_path / "run") == 0
    assert ", 0 differ" in capsys.readouterr().out
    verdicts = tmp_path / "run" / "verdicts.jsonl"
    verdicts.write_text(verdicts.read_text().replace('"outcome": "fail"', '"outcome": "pass"'))
    assert hvcert(command, tmp_path / "run") == 1
    said = capsys.readouterr().out
    assert "NMI-01 debian-12@hv-2019: pass" in said
    assert ", 1 differ" in said


def test_a_replay_leaves_no_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    unpack(ROOT / "tests" / "recorded" / "matrix" / "nmi-lost.tar.xz", tmp_path / "run")
    assert replay(tmp_path / "run")[1] == ()
    assert list(temporary.iterdir()) == []


def hvcert(command: str, folder: Path) -> int:
    with pytest.raises(SystemExit) as ended:
        app([command, str(folder)], standalone_mode=False)
    return int(ended.value.code or 0)


def row(outcome: Outcome, case: str = "NMI-01", recording: str = "r.jsonl") -> CaseResult:
    return CaseResult(case, "NMI", "", "g", "h", outcome, "so", recording=recording)


def test_only_what_the_run_had_judged_can_differ() -> None:
    before = (row(Outcome.PASS), row(Outcome.NOT_RUN, "NMI-02"), row(Outcome.PASS, "FB-01", ""))
    assert differences(before, (row(Outcome.PASS),)) == ()
    assert [d.now for d in differences(before, ())] == [None]
    assert len(differences(before, (row(Outcome.FAIL),))) == 1
