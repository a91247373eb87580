"""What a run does with the embedded lab: faults are asked for, found, or refused."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from harness import lab
from harness.errors import LabError
from harness.host.command import Cmdlet
from harness.inventory.load import load
from harness.inventory.model import LabHost
from harness.process import process_started
from harness.run import open_session
from harness.standin.share import share

ROOT = Path(__file__).parent.parent
EMBEDDED = ROOT / "inventories" / "embedded.yaml"
TEMPLATE = r"C:\hvcert\templates\debian-11.vhdx"
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


def test_a_lab_that_is_up_gets_the_templates_that_a_run_lacks(
    up: LabHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked of the host itself, over WinRM, as a case asks for the parent of its disk."""
    image = tmp_path / "image.qcow2"
    image.write_bytes(b"disk")
    there = lab.state_folder()
    original = lab.call
    asked: list[tuple[str, ...]] = []

    def call(*arguments: str) -> str:
        if arguments[0] != "share":
            return original(*arguments)
        asked.append(arguments[1:])
        share(there, {"debian-11": image})
        return ""

    up = dataclasses.replace(up, name="hv-2019")  # as the inventory has it
    host = dataclasses.replace(load(EMBEDDED).hosts[0], address=up.address)
    monkeypatch.setattr(lab, "call", call)
    lab.call("up", "--no-templates", f"--host=hv-2019:2019:{up.address}")
    try:
        for _ in range(2):
            with lab.embedded((up,), ("debian-11",)), open_session(host) as session:
                answer = session.run(Cmdlet("Test-Path", {"LiteralPath": TEMPLATE}))
                assert answer.objects == (True,)
    finally:
        lab.call("down")
    assert asked == [("--image=debian-11",)] * 2


def test_images_are_given_to_real_guests_only(up: LabHost, tmp_path: Path) -> None:
    there = lab.state_folder()
    with pytest.raises(LabError, match="no lab is up"):
        share(there, {})
    lab.call("up", "--simulated=0.1", f"--host=hv:2019:{up.address}")
    try:
        with pytest.raises(LabError, match="are recordings; `hvcert lab down`"):
            share(there, {"debian-12": tmp_path / "image.qcow2"})
    finally:
        lab.call("down")


def test_the_last_of_two_runs_takes_the_lab_down(up: LabHost) -> None:
    """Another process uses the lab that this one brought up, and the other way round."""
    users = lab.state_folder().parent / "lab.users"
    with lab.embedded((up,)):
        other = {"pid": os.getppid(), "started": process_started(os.getppid())}
        users.write_text(json.dumps([*json.loads(users.read_text()), other]))
    assert lab.hosts_up() == {"hv": ()}
    users.write_text(json.dumps([{"pid": os.getppid(), "started": "1"}]))  # it died
    with lab.embedded((up,)):
        assert len(json.loads(users.read_text())) == 1
    assert lab.hosts_up() == {}
    assert not users.exists()
