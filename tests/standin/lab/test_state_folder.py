"""What is on record about a lab, and what is never touched."""

import os
from pathlib import Path

import pytest

from harness.errors import LabError
from harness.process import process_started
from harness.standin import state
from harness.standin.daemon import down
from harness.standin.state import Daemon, HostEntry

HOST = HostEntry("hv", "2019", "127.0.0.1", 5985, 5986)


def test_a_lab_of_a_living_process_is_shown_with_all_that_a_client_needs(tmp_path: Path) -> None:
    (tmp_path / "hv").mkdir()
    (tmp_path / "hv" / "password").write_text("secret\n")
    me = os.getpid()
    state.write_daemon(tmp_path, Daemon(me, process_started(me), (HOST,)))
    assert state.status(tmp_path) == [
        {
            "name": "hv",
            "url": "http://127.0.0.1:5985/wsman",
            "https_url": "https://127.0.0.1:5986/wsman",
            "username": "Administrator",
            "password": "secret",
            "windows": "2019",
        }
    ]


def test_a_lab_whose_process_id_now_belongs_to_another_process_is_not_up(tmp_path: Path) -> None:
    state.write_daemon(tmp_path, Daemon(os.getpid(), "1", (HOST,)))
    assert state.status(tmp_path) == []


def test_a_garbled_record_is_no_lab(tmp_path: Path) -> None:
    (tmp_path / "daemon.json").write_text('{"pid": 1}')
    assert state.status(tmp_path) == []


def test_a_folder_of_somebody_else_is_neither_used_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LabError, match="nothing in it was touched"):
        state.make_folder(tmp_path)
    with pytest.raises(LabError, match="nothing in it was touched"):
        down(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_down_without_a_lab_is_no_error(tmp_path: Path) -> None:
    down(tmp_path / "none")


def test_a_lock_that_is_held_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    with (
        state.locked(folder, "serving", wait=False),
        pytest.raises(LabError, match="lab down"),
        state.locked(folder, "serving", wait=False),
    ):
        pass


def test_the_state_folder_is_for_its_user_alone(tmp_path: Path) -> None:
    state.make_folder(tmp_path / "lab")
    assert (tmp_path / "lab").stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match="set HVCERT_LAB_DIR"):
        state.make_folder(tmp_path / "file" / "lab")


def test_the_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HVCERT_LAB_DIR", "~/elsewhere")
    assert state.default_folder() == Path.home() / "elsewhere"
