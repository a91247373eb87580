"""Guests that are recordings: what they answer, what they refuse, and a run on several hosts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from harness.standin.machines import MachineError, MachineSpec
from harness.standin.simulated.machines import SimulatedMachines
from harness.standin.simulated.tape import (
    TAPES,
    Player,
    Reply,
    Tape,
    read,
    tape_for,
    tape_of,
    write,
)

ROOT = Path(__file__).parents[3]
VM = "hvcert-20261127-010000-aaaaaa-mmio-01-1-1"
ONE, TWO = (Reply(("cat", "/x"), 0, text, "", 0.5) for text in ("1", "2"))
TAPE = Tape(30.0, 0.1, (ONE, TWO))


def test_a_command_gets_its_answers_in_their_order_and_then_the_last_again() -> None:
    player = Player(TAPE)
    lines = ("cat /x", "sudo -n -- cat /x", "cat /x")
    assert [player.answer(line).stdout for line in lines] == ["1", "2", "2"]


def test_a_command_that_was_never_recorded_is_not_found() -> None:
    reply = Player(TAPE).answer("cat /y")
    assert reply.exit_status == 127
    assert "is a recording and holds no such command" in reply.stderr


def test_a_tape_is_written_and_read(tmp_path: Path) -> None:
    write(TAPE, tmp_path / "x.jsonl")
    assert read(tmp_path / "x.jsonl") == TAPE


def test_a_tape_is_made_of_a_recording() -> None:
    answer = {"given": {"argv": ["cat", "/x"], "exit_status": 0, "stdout": "1", "stderr": ""}}
    rows = [
        {"kind": "host", "asked": "Start-VM -Name 'a'", "at": 10.0, "seconds": 2.0},
        {"kind": "login", "asked": "ssh to 127.0.0.1 port 22", "at": 42.0, "seconds": 1.0},
        {"kind": "guest", "asked": "cat /x", "at": 43.0, "seconds": 0.5, "answer": answer},
        {"kind": "host", "asked": "Stop-VM -Name 'a'", "at": 44.0, "seconds": 0.1},
    ]
    assert tape_of(rows) == Tape(30.0, 0.1, (ONE,))


def test_a_vm_has_the_tape_of_the_case_in_its_name() -> None:
    assert tape_for(VM) == read(TAPES / "mmio-01.jsonl")
    assert tape_for(VM.replace("mmio-01", "none-01")) is None
    assert tape_for("somebodys") is None


def test_what_no_recording_can_do_is_refused(tmp_path: Path) -> None:
    machines = SimulatedMachines(tmp_path, 0.0)
    spec = MachineSpec(uuid4(), VM, 1 << 30, 1, 0)
    try:
        machines.start(spec)
        assert machines.guest(spec.id).heartbeat
        with pytest.raises(MachineError, match="is a recording: it has no processor"):
            machines.inject_nmi(spec.id)
        with pytest.raises(MachineError, match="cannot be saved"):
            machines.save(spec.id, tmp_path / "state")
        assert machines.shut_down(spec.id, 1)
        assert machines.state(spec.id) == "off"
        with pytest.raises(MachineError, match="has no recording of this case"):
            machines.start(MachineSpec(uuid4(), "other", 1 << 30, 1, 0))
    finally:
        machines.close()


def test_cases_run_on_simulated_guests_of_several_hosts() -> None:
    given = ("--hosts", "2", "--guests", "3", "--workers", "3", "--scale", "0.01", "--json")
    command = (sys.executable, str(ROOT / "benchmarks" / "fleet.py"), *given)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert (found["cases"], found["passed"]) == (3, 3)
    assert found["cases_per_host"]["least"] >= 1
