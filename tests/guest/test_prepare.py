from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import CommandFailed
from harness.guest.files import read_file, write_file
from harness.guest.prepare import due, prepare
from harness.inventory.model import Preparation

if TYPE_CHECKING:
    from tests.guest.conftest import LocalShell


def test_a_file_is_written_once_activated_and_reported(here: LocalShell, tmp_path: Path) -> None:
    file, mark = tmp_path / "grub.d" / "nmi.cfg", tmp_path / "mark"
    wanted = Preparation(
        str(file), 'X="$X apic_extnmi=all"\n', "2012 R2", (("touch", str(mark)),), reboot=True
    )
    first = prepare(here, (wanted,))
    assert first.changed == (wanted,)
    assert first.reboot
    assert file.read_text() == wanted.content
    assert mark.exists()
    assert any("tee" in proof.asked for proof in first.evidence)
    mark.unlink()
    second = prepare(here, (wanted,))
    assert (second.changed, second.reboot) == ((), False)
    assert not mark.exists()
    assert len(second.evidence) == 1


def test_no_reboot_is_asked_for_when_only_lasting_files_changed(
    here: LocalShell, tmp_path: Path
) -> None:
    now = Preparation(str(tmp_path / "a"), "1\n", "why", (("true",),))
    later = Preparation(str(tmp_path / "b"), "1\n", "why", (), reboot=True)
    (tmp_path / "b").write_text("1\n")
    assert not prepare(here, (now, later)).reboot


def test_an_activation_that_fails_is_an_error(here: LocalShell, tmp_path: Path) -> None:
    wanted = Preparation(str(tmp_path / "a"), "1\n", "why", (("false",),))
    with pytest.raises(CommandFailed, match="false ended with status 1"):
        prepare(here, (wanted,))


def test_a_file_that_cannot_be_written_is_an_error(here: LocalShell, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(CommandFailed):
        prepare(here, (Preparation(str(tmp_path / "folder"), "1\n", "why"),))


def test_text_arrives_as_it_is(here: LocalShell, tmp_path: Path) -> None:
    path, text = str(tmp_path / "a'b c"), "$(id) `x` 'q' \\n é\n\n"
    write_file(here, path, text)
    assert read_file(here, path)[0] == text


def test_a_missing_file_is_none(here: LocalShell, tmp_path: Path) -> None:
    assert read_file(here, str(tmp_path / "none"))[0] is None


def test_preparations_hold_for_their_cases_only() -> None:
    every, one = Preparation("a", "", "r"), Preparation("b", "", "r", cases=("NMI-01",))
    assert due((every, one), "NMI-01") == (every, one)
    assert due((every, one), "MMIO-01") == (every,)
