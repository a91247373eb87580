"""The scripts that set a machine up: they parse, say what is missing, and name no registry."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = (ROOT / "setup/install", ROOT / ".ci/run")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_parses_and_is_executable(script: Path) -> None:
    assert subprocess.run(("/bin/bash", "-n", script), check=False).returncode == 0
    assert script.stat().st_mode & 0o111


def test_no_script_names_a_registry() -> None:
    texts = [path.read_text() for path in (*SCRIPTS, ROOT / "Makefile")]
    assert not any("http" in text or "index-url" in text for text in texts)


@pytest.mark.parametrize("target", ["setup", "image", "lint", "test", "certify", "certify-all"])
def test_make_knows_the_target_and_sets_up_first(target: str) -> None:
    command = ("make", "-C", ROOT, "--dry-run", "--no-print-directory", target)
    steps = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert steps[0] == "setup/install"


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """Make a checkout whose machine has a shell's tools and nothing else, in ``bin``."""
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "dirname", "id", "sed", "env"):
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def run_setup(machine: Path) -> subprocess.CompletedProcess[str]:
    # /usr/sbin and /sbin are appended by the script itself, to find mke2fs
    return subprocess.run(
        (machine / "setup/install",),
        env={"PATH": str(machine / "bin"), "HOME": str(machine)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_without_a_new_enough_python_is_told_so(bare_machine: Path) -> None:
    done = run_setup(bare_machine)
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed" in done.stderr


def test_a_machine_without_apt_is_told_what_it_lacks(bare_machine: Path) -> None:
    python = bare_machine / "bin" / "python3"
    python.symlink_to(Path(sys.executable).resolve())
    done = run_setup(bare_machine)
    assert done.returncode == 2
    assert "lacks qemu-system-x86 qemu-utils mmdebstrap" in done.stderr
    assert not (bare_machine / ".venv").exists()
