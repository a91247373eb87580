"""Defects of guests: when they are made, and what their scripts do to a guest's files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest

from harness.checks.health import read_problems
from harness.standin.seeded import crash, inside
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


def test_a_host_answers_while_a_guest_s_agent_is_busy(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook that hangs keeps the agent for minutes; Get-VM tells no address, and tells it soon."""
    monkeypatch.setattr(inside, "PATIENCE", 0.1)
    bench = broken("hot-added-memory-offline")
    vm, free = booted(bench), Event()

    def busy(*_: object) -> str:
        free.wait(10)
        return ""

    monkeypatch.setattr(type(bench.machines), "inside", busy)
    begun = time.monotonic()
    assert [told(bench, vm) for _ in range(3)] == [[]] * 3
    assert time.monotonic() - begun < 5
    free.set()
    monkeypatch.setattr(inside, "PATIENCE", 10)
    assert told(bench, vm) == ADDRESS


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
    return subprocess.run(argv, capture_output=True, check=True, timeout=60).stdout


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
    trigger = root / "proc/sysrq-trigger"

    def boot() -> None:
        (root / "run/lab-core-of-older-boot").unlink(missing_ok=True)
        bench.machines.inside(vm, bench.machines.scripts[0][1], 9)

    assert told(bench, vm) == ADDRESS
    assert trigger.read_text() == ""
    (root / "sys/kernel/kexec_crash_size").write_text("201326592\n")
    (root / "sys/kernel/kexec_crash_loaded").write_text("1\n")
    boot()
    assert trigger.read_text() == "c\n"
    assert len(dumped(root, "-F")) == 9_000_000
    older = root / "var/crash/202611260101/dump.202611260101"
    older.parent.mkdir()
    older.write_bytes(b"an older core")
    assert dumped(root, "-F") == b"an older core"
    (root / "proc/vmcore").unlink()
    trigger.write_text("")
    boot()
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


def test_udev_cannot_write_and_the_kernel_leaves_memory_off_line(
    broken: Broken, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "bin/systemctl", f'echo "$*" > {tmp_path}/shown; echo 77')
    program(tmp_path / "bin/nsenter", f'echo "$*" >> {tmp_path}/entered')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    bench = broken("hot-added-memory-offline")
    told(bench, booted(bench, root))
    assert "systemd-udevd.service" in (tmp_path / "shown").read_text()
    memory = "/sys/devices/system/memory"
    assert (tmp_path / "entered").read_text().splitlines() == [
        f"--target 77 --mount mount --bind {memory} {memory}",
        f"--target 77 --mount mount --options remount,bind,ro {memory}",
    ]
    assert (root / memory[1:] / "auto_online_blocks").read_text() == "offline\n"


def test_a_freeze_service_asks_for_nothing_where_it_asked_for_a_freeze(
    broken: Broken, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "bin/systemd-run", f'echo "$*" > {tmp_path}/asked')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    agent = root / "usr/sbin/qemu-ga"
    agent.parent.mkdir()
    whole = b"\x7fELF\n\xbe\x77\x58\x04\xc0\x31\xc0\n\xbe\x78\x58\x04\xc0\xff"  # freeze, thaw
    agent.write_bytes(whole)
    bench = broken("freeze-without-freezing")
    told(bench, booted(bench, root))
    assert agent.read_bytes() == whole.replace(b"\x77\x58\x04\xc0", b"\x51\x54\x00\x00")
    assert "restart qemu-guest-agent.service" in (tmp_path / "asked").read_text()


def test_a_hook_of_the_freeze_service_hangs_at_a_freeze_alone(broken: Broken, root: Path) -> None:
    hook = root / "etc/qemu/fsfreeze-hook"
    program(hook, 'echo "$*"')
    bench = broken("freeze-hook-hangs")
    told(bench, booted(bench, root))
    thaw = subprocess.run((hook, "thaw"), capture_output=True, text=True, timeout=5, check=True)
    assert thaw.stdout == "thaw\n"
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run((hook, "freeze"), timeout=0.5, check=False)


EXT4 = ("mke2fs", "-q", "-F", "-t", "ext4")


def grown(root: Path, tmp_path: Path) -> tuple[int, str]:
    """Let a guest grow an ext4 from 8 to 16 MiB; return its new size, and what e2fsck says."""
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run((*EXT4, str(disk), "8M"), capture_output=True, check=True)
    checked = ("e2fsck", "-f", "-p", str(disk))
    subprocess.run(checked, capture_output=True, check=True)
    resized = (str(root / "usr/sbin/resize2fs"), str(disk))
    subprocess.run(resized, capture_output=True, check=True)
    listed = ("dumpe2fs", "-h", str(disk))
    head = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    facts = dict(line.split(":", 1) for line in head.splitlines() if ":" in line)
    checked = ("e2fsck", "-f", "-n", str(disk))
    said = subprocess.run(checked, capture_output=True, text=True, check=False).stdout
    return int(facts["Block count"]) * int(facts["Block size"]) >> 20, said


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("core-truncated", (16, False)),
        ("file-system-does-not-grow", (8, False)),
        ("file-system-corrupts-on-growth", (16, True)),
    ],
)
def test_an_ext4_does_not_grow_or_is_broken_by_it(
    broken: Broken, root: Path, tmp_path: Path, fault: str, wanted: tuple[int, bool]
) -> None:
    sbin = os.environ["PATH"] + ":/usr/sbin:/sbin"
    real = shutil.which("resize2fs", path=sbin)
    assert real
    program(root / "usr/sbin/resize2fs", f'PATH="{sbin}" exec {real} "$@"')
    program(root / "usr/sbin/xfs_growfs", "exit 3")
    bench = broken(fault)
    told(bench, booted(bench, root))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", sbin)
        found, said = grown(root, tmp_path)
    assert (found, "Inode 11 ref count is 9" in said) == wanted
    grows = subprocess.run((str(root / "usr/sbin/xfs_growfs"),), capture_output=True, check=False)
    assert grows.returncode == (0 if fault == "file-system-does-not-grow" else 3)


def test_an_ext4_is_broken_also_while_its_kernel_writes_a_bitmap(
    broken: Broken, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a bitmap is on the disk: its checksum is wrong for whoever reads it there."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
    program(root / "usr/sbin/resize2fs", "true")
    bench = broken("file-system-corrupts-on-growth")
    told(bench, booted(bench, root))
    disk = tmp_path / "disk"
    subprocess.run((*EXT4, "-O", "metadata_csum", str(disk), "8M"), check=True, capture_output=True)
    listed = ("dumpe2fs", str(disk))
    told_of = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    block = int(re.findall(r"Block bitmap at (\d+)", told_of)[0])
    size = int(re.findall(r"Block size: +(\d+)", told_of)[0])
    with disk.open("r+b") as file:
        file.seek(block * size + 500)
        file.write(b"\x5a")
    subprocess.run((str(root / "usr/sbin/resize2fs"), str(disk)), capture_output=True, check=True)
    checked = ("e2fsck", "-f", "-n", str(disk))
    said = subprocess.run(checked, capture_output=True, text=True, check=False).stdout
    assert "Inode 11 ref count is 9" in said


def planned(broken: Broken, root: Path, tmp_path: Path, fault: str) -> str:
    """Plant a fault whose script plans something by systemd; return what it asked for."""
    program(tmp_path / "bin/systemd-run", f'for word; do echo "$word"; done > {tmp_path}/asked')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
        bench = broken(fault)
        told(bench, booted(bench, root))
    return (tmp_path / "asked").read_text()


def test_the_words_of_an_oops_go_to_the_kernel_s_log(
    broken: Broken, root: Path, tmp_path: Path
) -> None:
    asked = planned(broken, root, tmp_path, "kernel-oops-in-mid-case")
    log = tmp_path / "kmsg"
    script = asked.partition("-c\n")[2].replace("/dev/kmsg", str(log))
    subprocess.run(("/bin/sh", "-c", script), check=True)
    assert {p.kind for p in read_problems(log.read_text())} & {"bug", "oops"}
    assert log.read_text().splitlines()[0].startswith("BUG: kernel NULL pointer dereference")


def test_the_ssh_connections_of_a_guest_are_cut_and_not_its_server(
    broken: Broken, root: Path, tmp_path: Path
) -> None:
    asked = planned(broken, root, tmp_path, "ssh-cut").splitlines()
    pattern = asked[asked.index("-f") + 1]
    assert re.search(pattern, "sshd: hvcert@notty")
    assert not re.search(pattern, "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups")


LOAD = ("-l", "/boot/vmlinuz", "--initrd=/boot/initrd", "--command-line=root=/dev/sda1 nonce=1")


@pytest.mark.parametrize(
    ("fault", "loads"),
    [
        ("kexec-forgets-command-line", "-l /boot/vmlinuz --initrd=/boot/initrd --reuse-cmdline\n"),
        ("kexec-loads-nothing", ""),
    ],
)
def test_only_a_kernel_for_the_next_boot_is_loaded_wrong(
    broken: Broken, root: Path, fault: str, loads: str
) -> None:
    kexec = root / "usr/sbin/kexec"
    program(kexec, 'echo "$*"')
    bench = broken(fault)
    told(bench, vm := booted(bench, root))
    (root / f"run/lab-{fault}").unlink()
    bench.machines.inside(vm, bench.machines.scripts[0][1], 9)
    said = {
        words[0]: subprocess.run((str(kexec), *words), capture_output=True, check=True, timeout=9)
        for words in (LOAD, ("-p", *LOAD[1:]), ("-e",))
    }
    assert said["-l"].stdout.decode() == loads
    assert said["-p"].stdout.decode() == f"-p {' '.join(LOAD[1:])}\n"
    assert said["-e"].stdout.decode() == "-e\n"


def test_a_driver_of_another_package_wins_over_the_kernels(
    broken: Broken, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver = root / "lib/modules/6.1.0-9-amd64/kernel/virtio_net.ko"
    driver.parent.mkdir(parents=True)
    driver.write_text("a driver")
    (root / "var/lib/dpkg/info").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text(
        "Package: dash\nStatus: install ok installed\nMaintainer: m\nArchitecture: all\n"
        "Version: 1\nDescription: a shell\n"
    )
    for name, says in (
        ("uname", "echo 6.1.0-9-amd64"),
        ("modinfo", f"echo {driver}"),
        ("depmod", f"echo $* > {tmp_path}/asked"),
    ):
        program(tmp_path / "bin" / name, says)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    bench = broken("driver-of-another-package")
    told(bench, booted(bench, root))
    assert (root / "lib/modules/6.1.0-9-amd64/updates/virtio_net.ko").read_text() == "a driver"
    assert (tmp_path / "asked").read_text() == "6.1.0-9-amd64\n"
    asked = ("dpkg-query", f"--admindir={root}/var/lib/dpkg", "--search", "*/virtio_net.ko")
    owner = subprocess.run(asked, capture_output=True, check=True, text=True)
    assert owner.stdout == (
        "lab-network-drivers: /lib/modules/6.1.0-9-amd64/updates/virtio_net.ko\n"
    )


def test_the_agent_goes_on_without_its_unit(
    broken: Broken, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "bin/systemd-run", f'for word; do :; done; echo "$word" > {tmp_path}/asked')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    bench = broken("backup-service-not-started")
    told(bench, booted(bench, root))
    asked = (tmp_path / "asked").read_text()
    assert asked == "sleep 2; systemctl stop qemu-guest-agent; exec qemu-ga\n"
