"""A third client, unmodified and with no Python in it: winrmcp, of the WinRM library for Go."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.standin.server import WinRM
from tests.standin.wire.fake_engine import PASSWORD


def winrmcp(winrm: WinRM, *arguments: str, password: str = PASSWORD) -> tuple[int, str]:
    """Run the program over HTTPS, its certificate checked; return its status and what it says."""
    ports = winrm.ports["HV01"]
    done = subprocess.run(
        (
            shutil.which("winrmcp") or "", "-https", f"-cacert={ports.certificate}",
            f"-addr=127.0.0.1:{ports.https}", "-user=Administrator",
            f"-pass={password}", "-op-timeout=20s", *arguments,
        ),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("size", [1, 20_000], ids=["one-chunk", "many-commands"])
def test_winrmcp_goes_through_its_whole_copy(winrm: WinRM, tmp_path: Path, size: int) -> None:
    source = tmp_path / "a.txt"
    source.write_text("x" * size)
    status, said = winrmcp(winrm, str(source), "C:\\a.txt")
    assert status == 0, said
    sent = re.findall(r"^(\S+) >> ", said, re.MULTILINE)  # this console echoes what it is told
    assert base64.b64decode("".join(sent)) == source.read_bytes()
    assert "C:\\a.txt" in said.partition("ran <")[2]  # and the engine got its PowerShell


def test_winrmcp_is_told_that_its_password_is_wrong(winrm: WinRM, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    status, said = winrmcp(winrm, str(tmp_path / "a.txt"), "C:\\a.txt", password="wrong")  # noqa: S106  # it is wrong
    assert status != 0
    assert "401" in said
