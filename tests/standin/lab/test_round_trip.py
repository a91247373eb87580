"""The lab as a program: up, status, down, and every way in which up is refused. No image needed."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.deadline import wait_for
from harness.process import process_started
from harness.standin.state import read_daemon

ADDRESS = "127.86.77.1"
HOST = f"hv:2019:{ADDRESS}:0:0"


class Lab:
    """The program on a state folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = (sys.executable, "-m", "harness.standin", command, "--state", str(self.folder))
        return subprocess.run((*argv, *arguments), capture_output=True, text=True, check=False)

    def up(self, host: str = HOST, *more: str) -> subprocess.CompletedProcess[str]:
        return self.run("up", "--no-templates", f"--host={host}", *more)

    def status(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = json.loads(self.run("status", "--json").stdout)
        return entries


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    program = Lab(tmp_path / "lab")
    yield program
    program.run("down")


def test_up_serves_status_tells_and_down_leaves_nothing(lab: Lab) -> None:
    assert lab.status() == []
    said = lab.up()
    assert (said.returncode, said.stderr) == (0, "")
    (entry,) = lab.status()
    port = int(entry["url"].rpartition(":")[2].removesuffix("/wsman"))
    with socket.create_connection((ADDRESS, port), timeout=5):
        pass
    assert entry["password"] == (lab.folder / "hv" / "password").read_text().strip()
    assert (lab.folder / "hv" / "password").stat().st_mode & 0o777 == 0o600
    assert "BEGIN CERTIFICATE" in (lab.folder / "hv" / "ca.pem").read_text()
    assert lab.run("down").returncode == 0
    assert lab.status() == []
    assert not lab.folder.exists()


def test_a_second_lab_on_the_same_folder_is_refused_and_the_first_stays(lab: Lab) -> None:
    lab.up()
    said = lab.up("other:2016:127.86.77.2:0:0")
    assert said.returncode == 2
    assert "is up at" in said.stderr
    assert said.stderr.count("\n") == 1
    assert [entry["name"] for entry in lab.status()] == ["hv"]


def test_a_port_that_is_taken_is_named_in_one_sentence(lab: Lab) -> None:
    with socket.create_server((ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]
        said = lab.up(f"hv:2019:{ADDRESS}:{port}:0")
    assert said.returncode == 2
    assert f"cannot listen at {ADDRESS} ports {port} and 0" in said.stderr
    assert said.stderr.count("\n") == 1
    assert not lab.folder.exists()


def test_an_unknown_windows_release_is_refused_in_one_sentence(lab: Lab) -> None:
    said = lab.up(f"hv:2008:{ADDRESS}:0:0")
    assert (said.returncode, said.stderr.count("\n")) == (2, 1)
    assert "no Windows release is named '2008'" in said.stderr


def test_a_lab_that_is_broken_on_purpose_says_how(lab: Lab) -> None:
    said = lab.up(HOST, "--fault=nmi-lost", "--fault=hv/job-fails")
    assert "broken on purpose: nmi-lost, job-fails" in said.stdout
    assert [entry["faults"] for entry in lab.status()] == [["nmi-lost", "job-fails"]]


def test_an_unknown_fault_is_refused_in_one_sentence_before_anything_starts(lab: Lab) -> None:
    said = lab.up(HOST, "--fault=nmi-lots")
    assert (said.returncode, said.stderr.count("\n")) == (2, 1)
    assert said.stderr.startswith("no fault is named 'nmi-lots'; there are nmi-lost, ")
    assert not lab.folder.exists()


def test_guests_that_could_not_have_port_22_are_found_out_at_once(lab: Lab) -> None:
    with socket.create_server(("127.87.1.2", 22)):
        said = lab.up()
    assert said.returncode == 2
    assert "port 22 of 127.87.1.2 and up" in said.stderr


def test_what_a_killed_lab_left_is_cleared_by_the_next_one_with_a_new_password(lab: Lab) -> None:
    lab.up()
    old = lab.status()[0]["password"]
    daemon = read_daemon(lab.folder)
    assert daemon is not None
    os.kill(daemon.pid, signal.SIGKILL)
    wait_for(
        "its end",
        lambda: True if process_started(daemon.pid) != daemon.started else None,
        timedelta(seconds=10),
        every=timedelta(milliseconds=20),
    )
    assert lab.status() == []
    assert lab.up().returncode == 0
    assert [entry["password"] == old for entry in lab.status()] == [False]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_lab_in_the_foreground_and_clears_its_hosts_away(
    lab: Lab, number: signal.Signals
) -> None:
    argv = (sys.executable, "-m", "harness.standin", "serve", "--no-templates")
    with subprocess.Popen((*argv, "--state", str(lab.folder), f"--host={HOST}")) as child:
        wait_for(
            "the lab",
            lambda: read_daemon(lab.folder),
            timedelta(seconds=20),
            every=timedelta(milliseconds=50),
        )
        child.send_signal(number)
        assert child.wait(20) == 0
    assert sorted(path.name for path in lab.folder.iterdir()) == [".hvcert-lab"]
