"""What a run does with the embedded lab: faults are asked for, found, or refused."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from harness import lab
from harness.errors import LabError
from harness.inventory.load import load
from harness.inventory.model import LabHost

ROOT = Path(__file__).parent.parent
EMBEDDED = ROOT / "inventories" / "embedded.yaml"
HOST = "hv:2019:127.86.77.3"


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabHost:
    monkeypatch.setenv("HVCERT_LAB_DIR", str(tmp_path / "lab"))
    return LabHost("hv", "2019", "127.86.77.3")


def test_faults_of_the_command_line_are_added_to_those_of_the_inventory() -> None:
    read = load(EMBEDDED)
    broken = lab.with_faults(read, ("one-way", "another-way"))
    assert [host.faults for host in broken.lab] == [("one-way", "another-way")]
    assert broken.hosts == read.hosts


def test_a_fault_without_a_lab_is_refused_with_what_to_do() -> None:
    real = dataclasses.replace(load(EMBEDDED), lab=())
    with pytest.raises(LabError, match=r"has no lab, .* leave --fault out"):
        lab.with_faults(real, ("one-way",))
    assert lab.with_faults(real, ()) == real


def test_a_lab_that_is_up_is_used_with_its_faults_but_not_for_others(up: LabHost) -> None:
    lab.call("up", "--no-templates", f"--host={HOST}", "--fault=nmi-lost")
    try:
        assert lab.hosts_up() == {"hv": ("nmi-lost",)}
        with lab.embedded((up,)):
            pass
        with lab.embedded((dataclasses.replace(up, faults=("nmi-lost",)),)):
            pass
        other = dataclasses.replace(up, faults=("gap-ignored",))
        said = "in hv are: nmi-lost; the run asks for gap-ignored"
        with pytest.raises(LabError, match=said), lab.embedded((other,)):
            pass
    finally:
        lab.call("down")


def test_the_last_of_two_runs_takes_the_lab_down(up: LabHost) -> None:
    """Another process uses the lab that this one brought up, and the other way round."""
    users = lab.state_folder().parent / "lab.users"
    with lab.embedded((up,)):
        other = {"pid": os.getppid(), "started": lab.process_started(os.getppid())}
        users.write_text(json.dumps([*json.loads(users.read_text()), other]))
    assert lab.hosts_up() == {"hv": ()}
    users.write_text(json.dumps([{"pid": os.getppid(), "started": "1"}]))  # it died
    with lab.embedded((up,)):
        assert len(json.loads(users.read_text())) == 1
    assert lab.hosts_up() == {}
    assert not users.exists()
