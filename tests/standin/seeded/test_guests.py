"""Defects of guests: when they are made, and what their scripts do to a guest's files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from harness.standin.seeded import crash
from tests.standin.hyperv.bench import Bench
from tests.standin.seeded.conftest import Broken

ADDRESS = ["127.87.0.2"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a guest's root with the files that the scripts look at."""
    made = tmp_path / "guest"
    files = {
        "proc/sysrq-trigger": "",
        "sys/devices/system/memory/auto_online_blocks": "online\n",
        "sys/kernel/kexec_crash_size": "0\n",
        "sys/kernel/kexec_crash_loaded": "0\n",
        "etc/default/kdump-tools": 'USE_KDUMP=1\nKDUMP_CMDLINE_APPEND="nr_cpus=1"\n',
    }
    for name, text in files.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text)
    for name in ("run", "var/lib", "var/crash", "etc/systemd/system"):
        (made / name).mkdir(parents=True)
    program(made / "usr/bin/makedumpfile", "head -c 9000000 /dev/zero")
    return made


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def booted(bench: Bench, root: Path | None = None) -> UUID:
    """Start a VM with an adapter on a switch, whose guest has this root."""
    bench.machines.root = root
    bench.call("New-VMSwitch", Name="s", SwitchType="Internal")
    bench.vm(SwitchName="s")
    bench.do("Start-VM")
    (vm,) = bench.machines.specs
    return vm


def told(bench: Bench, vm: UUID) -> list[str]:
    return list(bench.host.machines.guest(vm).addresses)


def test_a_guest_is_broken_before_its_host_tells_its_address(broken: Broken) -> None:
    bench = broken("hot-added-memory-offline")
    vm = booted(bench)
    bench.machines.broken = "its agent is busy"
    assert told(bench, vm) == []
    bench.machines.broken = ""
    assert bench.machines.scripts == []
    assert told(bench, vm) == ADDRESS
    assert len(bench.machines.scripts) == 1
    assert told(bench, vm) == ADDRESS
    assert len(bench.machines.scripts) == 1  # it is asked again some seconds later


def test_a_script_works_once_in_a_boot_and_never_in_a_capture_kernel(
    broken: Broken, root: Path
) -> None:
    bench = broken("capture-kernel-panics")
    told(bench, vm := booted(bench, root))
    asked = root / "etc/default/kdump-tools"
    for vmcore, touched in (("", True), ("core", False)):
        (root / "proc/vmcore").write_text(vmcore)
        (root / "run/lab-capture-kernel-panics").unlink(missing_ok=True)
        asked.write_text("")
        for _ in range(2):
            bench.machines.inside(vm, bench.machines.scripts[0][1], 9)
        assert (asked.read_text().count("rdinit=/missing") == 1) is touched


def test_a_capture_kernel_is_told_an_init_that_is_not_there(broken: Broken, root: Path) -> None:
    bench = broken("capture-kernel-panics")
    told(bench, booted(bench, root))
    lines = (root / "etc/default/kdump-tools").read_text().splitlines()
    assert lines[0] == "USE_KDUMP=1"
    assert [line for line in lines if "CMDLINE" in line] == lines[1:]
    assert "rdinit=/missing" in lines[1]


def dumped(root: Path, *arguments: str) -> bytes:
    """Return what a guest's makedumpfile writes in the capture kernel."""
    (root / "proc/vmcore").write_text("the memory of a kernel")
    argv = (str(root / "usr/bin/makedumpfile"), *arguments)
    return subprocess.run(argv, capture_output=True, check=True).stdout


def test_a_core_is_cut_off_and_the_log_of_the_crash_is_not(broken: Broken, root: Path) -> None:
    bench = broken("core-truncated")
    told(bench, booted(bench, root))
    assert len(dumped(root, "-F", "/proc/vmcore")) == crash.CUT
    assert len(dumped(root, "--dump-dmesg", "/proc/vmcore", "file")) == 9_000_000
    (root / "proc/vmcore").unlink()
    argv = (str(root / "usr/bin/makedumpfile"),)
    assert len(subprocess.run(argv, capture_output=True, check=True).stdout) == 9_000_000


def test_an_armed_guest_crashes_once_and_its_core_comes_again(broken: Broken, root: Path) -> None:
    bench = broken("core-of-older-boot")
    vm = booted(bench, root)
    (root / "sys/kernel/kexec_crash_size").write_text("201326592\n")
    (root / "sys/kernel/kexec_crash_loaded").write_text("1\n")
    assert told(bench, vm) == ADDRESS
    trigger = root / "proc/sysrq-trigger"
    assert trigger.read_text() == "c\n"
    first = dumped(root, "-F")
    assert len(first) == 9_000_000
    older = root / "var/crash/202611260101/dump.202611260101"
    older.parent.mkdir()
    older.write_bytes(b"an older core")
    assert dumped(root, "-F") == b"an older core"
    (root / "proc/vmcore").unlink()
    (root / "run/lab-core-of-older-boot").unlink()
    trigger.write_text("")
    bench.machines.inside(vm, bench.machines.scripts[0][1], 9)
    assert trigger.read_text() == ""


def test_the_disk_of_a_guest_is_filled_up_to_a_rest(
    broken: Broken, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "bin/stat", 'case "$*" in *%a*) echo 1000 ;; *) echo 65536 ;; esac')
    program(tmp_path / "bin/fallocate", f'echo "$*" > {tmp_path}/asked')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    bench = broken("dump-disk-full")
    told(bench, booted(bench, root))
    asked = (tmp_path / "asked").read_text().split()
    assert asked == ["-l", str(1000 * 65536 - crash.LEFT), f"{root}/var/lib/lab-filled"]


def test_after_a_crash_the_ssh_server_does_not_start(broken: Broken, root: Path) -> None:
    bench = broken("guest-unreachable-after-panic")
    told(bench, booted(bench, root))
    unit = root / "etc/systemd/system/ssh.service"
    assert not unit.is_symlink()
    assert len(dumped(root, "-F")) == 9_000_000
    assert str(unit.readlink()) == "/dev/null"


def test_udev_stands_still_and_the_kernel_leaves_memory_off_line(
    broken: Broken, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "bin/udevadm", f'echo "$*" > {tmp_path}/asked')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    bench = broken("hot-added-memory-offline")
    told(bench, booted(bench, root))
    assert (tmp_path / "asked").read_text() == "control --stop-exec-queue\n"
    blocks = root / "sys/devices/system/memory/auto_online_blocks"
    assert blocks.read_text() == "offline\n"
