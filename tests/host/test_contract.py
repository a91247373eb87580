"""Each kind of call, answered by a host, is as Microsoft documents it, on the bytes of the wire.

Without an option it is the stand-in of each Windows release, in this process; with ``--inventory``
the hosts of that inventory, unchanged: ``pytest tests/host/test_contract.py --inventory lab.yaml``.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.contract.comparing import between, with_documentation
from harness.contract.exercise import ABSENT, Place, steps
from harness.contract.recording import read
from harness.errors import ResultsError
from harness.host.command import Cmdlet
from harness.inventory.load import load
from harness.standin.documented import documented
from harness.standin.releases import RELEASES
from tests.host.contract_host import PASSWORD, SWITCH, recorded_here, recorded_of, stand_in

STEPS = [step.name for step in steps(Place("v", "f", "s"), 99999)]
REFUSED = {
    "no such VM", "no such VM to start", "no such VM to stop", "no such VM to change",
    "no such file", "no such disk", "gap out of range", "paused while off", "VM gone",
}  # fmt: skip
Recording = dict[str, Any]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "asked" in metafunc.fixturenames:
        path: Path | None = metafunc.config.getoption("--inventory")
        names = list(RELEASES) if path is None else [host.name for host in load(path).hosts]
        metafunc.parametrize("asked", names, scope="module")


@pytest.fixture(scope="module")
def recording(
    asked: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Recording:
    path: Path | None = request.config.getoption("--inventory")
    if path is not None:
        return recorded_of(path, asked)
    return _of_stand_in(asked, tmp_path_factory.mktemp("host"))


def _of_stand_in(release: str, folder: Path) -> Recording:
    (folder / "C").mkdir()
    with stand_in(release, folder) as (session, host):
        session.run(Cmdlet("New-VMSwitch", {"Name": SWITCH, "SwitchType": "Internal"}))
        found = recorded_here(session, host)
        vms = session.run(Cmdlet("Get-VM")).objects
        left = session.run(Cmdlet("Get-ChildItem", {"Path": host.vm_path})).objects
    assert (vms, left) == ((), ())
    return found


@pytest.mark.host_verified
@pytest.mark.parametrize("name", STEPS)
def test_an_answer_is_as_documented(recording: Recording, name: str) -> None:
    answers = [a for a in recording["answers"] if a["step"] == name]
    known = documented(recording["windows"])
    assert [str(d) for d in with_documentation({"answers": answers}, known)] == []


@pytest.mark.host_verified
def test_only_what_has_to_be_refused_is_refused(recording: Recording) -> None:
    refused = {a["step"]: a["refused"] for a in recording["answers"] if a["refused"]}
    asked = {a["step"] for a in recording["answers"]}
    assert refused.keys() == REFUSED & asked, refused
    assert all(each["id"] and each["exception"] for each in refused.values())


@pytest.mark.host_verified
def test_nothing_of_the_owner_is_in_a_recording(recording: Recording) -> None:
    text = json.dumps(recording).lower()
    for private in ("somebody", "somewhere", PASSWORD, SWITCH, "127.0.0.1", ABSENT, "hvcert-20"):
        assert private.lower() not in text


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return _of_stand_in("2022", tmp_path_factory.mktemp("here"))


def changed(recording: Recording, step: str) -> tuple[Recording, Recording]:
    """Return a copy, and in it the first object of a step's answer."""
    other = copy.deepcopy(recording)
    (answer,) = [a for a in other["answers"] if a["step"] == step]
    return other, answer["objects"][0]


def test_a_recording_does_not_differ_from_itself(here: Recording) -> None:
    assert between(here, copy.deepcopy(here)) == []


def test_two_recordings_of_one_host_are_the_same(here: Recording, tmp_path: Path) -> None:
    assert [str(d) for d in between(here, _of_stand_in("2022", tmp_path))] == []


def test_a_wider_number_is_found_by_both_comparisons(here: Recording) -> None:
    other, vm = changed(here, "VM, running")
    vm["properties"]["ProcessorCount"] = {"is": "I32", "value": 2}
    (found,) = between(here, other)
    assert str(found).startswith("Get-VM (VM, running): VirtualMachine.ProcessorCount: I64 2 | I32")
    (wrong,) = with_documentation(other, documented("2022"))
    assert (wrong.field, wrong.right) == ("VirtualMachine.ProcessorCount", "I64")


def test_a_wrong_number_of_an_enum_is_found_by_both_comparisons(here: Recording) -> None:
    other, vm = changed(here, "VM, running")
    vm["properties"]["State"]["number"] = 3
    assert [d.field for d in between(here, other)] == ["VirtualMachine.State"]
    (wrong,) = with_documentation(other, documented("2022"))
    assert (wrong.field, wrong.right) == ("State", "Running (2)")


def test_a_property_that_is_missing_or_too_many_is_found(here: Recording) -> None:
    other, memory = changed(here, "memory")
    memory["properties"]["Extra"] = memory["properties"].pop("Buffer")
    assert {d.field for d in between(here, other)} == {"VMMemory.Buffer", "VMMemory.Extra"}
    wrong = with_documentation(other, documented("2022"))
    assert {d.field for d in wrong} == {"VMMemory.Buffer", "VMMemory.Extra"}


def test_another_type_chain_is_found(here: Recording) -> None:
    other, vm = changed(here, "VM, off")
    del vm["types"][1]
    found = (between(here, other), with_documentation(other, documented("2022")))
    assert [d.field for both in found for d in both] == ["VirtualMachine types"] * 2


def test_another_error_or_an_answer_that_is_missing_is_found(here: Recording) -> None:
    other = copy.deepcopy(here)
    (answer,) = [a for a in other["answers"] if a["step"] == "no such VM"]
    answer["refused"] = None
    gone = other["answers"].pop()
    fields = {(d.step, d.field) for d in between(here, other)}
    assert ("no such VM", "error id") in fields
    assert (gone["step"], "answer") in fields


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ResultsError, match="is no recording"):
        read(tmp_path / "a.json")


def test_the_command_line_compares_and_says_so_by_its_exit_status(
    here: Recording, tmp_path: Path
) -> None:
    other, vm = changed(here, "VM, running")
    vm["properties"]["State"]["number"] = 3
    for name, content in (("a.json", here), ("b.json", other)):
        (tmp_path / name).write_text(json.dumps(content))

    def compare(*names: str) -> tuple[int, list[str]]:
        command = (sys.executable, "-m", "harness.cli", "contract", "compare", *names)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    assert compare("a.json") == (0, ["0 differ"])
    status, said = compare("a.json", "b.json")
    assert (status, len(said), said[-1]) == (1, 2, "1 differ")
    assert said[0].startswith("Get-VM (VM, running): VirtualMachine.State: enum VMState Running (2")
    assert compare("b.json")[0] == 1
