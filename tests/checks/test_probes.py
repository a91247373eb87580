"""What is asked of a guest, word by word, and that the answer is read by the right function."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from harness.checks import (
    core,
    disks,
    filesystems,
    framebuffer,
    freeze,
    hang,
    integration,
    kdump,
    kernel,
    memory,
    partitioning,
    reach,
    sysfs,
    workload,
)
from harness.checks.backup import judge_backup
from harness.checks.partitioning import Step
from harness.distro import FAMILIES
from harness.errors import EvidenceError
from harness.evidence import Evidence, Probe
from harness.units import GiB, MiB
from harness.verdict import pass_if

PLAIN, ROOT, MAY_FAIL = (False, False), (True, False), (False, True)
ROOT_MAY_FAIL = (True, True)
BUFFER = framebuffer.FrameBuffer(1, "hyperv_drm")


@pytest.mark.parametrize(
    ("question", "asked", "how"),
    [
        (
            lambda: sysfs.drivers_above("/sys/devices/pci0000:00/0000:00:05.0/virtio2"),
            "find /sys/devices/pci0000:00 /sys/devices/pci0000:00/0000:00:05.0"
            " /sys/devices/pci0000:00/0000:00:05.0/virtio2 -maxdepth 1 -name driver"
            " -printf '%l\\n'",
            MAY_FAIL,
        ),
        (
            lambda: workload.state("hvcert-a"),
            "systemctl show hvcert-a.service -p ActiveState -p SubState -p Result"
            " -p ExecMainStatus",
            PLAIN,
        ),
        (lambda: workload.stop("hvcert-a"), "systemctl stop hvcert-a.service", ROOT_MAY_FAIL),
        (
            lambda: workload.forget("hvcert-a"),
            "systemctl reset-failed hvcert-a.service",
            ROOT_MAY_FAIL,
        ),
        (lambda: workload.report_of("/run/a.json"), "cat /run/a.json", ROOT),
        (
            lambda: workload.start("hvcert-a", "/m/f", 64 * MiB, "/run/a.json"),
            "systemd-run --unit=hvcert-a --property=KillSignal=SIGINT"
            " --property=TimeoutStopSec=300 fio --name=work --filename=/m/f --size=67108864"
            f" --rw=write --bs={workload.BLOCK.count} --direct=1 --ioengine=psync"
            " --fallocate=none --verify=crc32c --verify_backlog=64 --verify_fatal=1 --time_based"
            " --runtime=7200 --output-format=json --output=/run/a.json",
            ROOT,
        ),
        (
            lambda: workload.fill("/m/f", 64 * MiB),
            "fio --name=fill --filename=/m/f --size=67108864 --rw=write --bs=1048576 --direct=1"
            " --ioengine=psync --verify=crc32c --verify_fatal=1 --output-format=json",
            ROOT_MAY_FAIL,
        ),
        (
            lambda: freeze.freeze_log(("qemu-guest-agent", "hv-fcopy"), "s=1;i=2"),
            "journalctl --no-pager -o json '--cursor=s=1;i=2' -u qemu-guest-agent.service"
            " -u hv-fcopy.service",
            ROOT,
        ),
        (lambda: reach.room("/c"), "stat -f -c '%a %S' -- /c", ROOT),
        (lambda: kernel.RELEASE, "uname -r", PLAIN),
        (lambda: kernel.sysctl("kernel.panic"), "cat /proc/sys/kernel/panic", PLAIN),
        (lambda: kernel.set_sysctl("kernel.panic", "5"), "sysctl -w kernel.panic=5", ROOT),
        (lambda: core.head("/c/dump"), "od -A n -t x1 -v -N 65536 -- /c/dump", ROOT),
        (
            lambda: core.tail(core.CoreFile("/c/dump", 5000)),
            "od -A n -t x1 -v -j 4984 -- /c/dump",
            ROOT,
        ),
        (lambda: core.tail(core.CoreFile("/c/dump", 9)), "od -A n -t x1 -v -j 0 -- /c/dump", ROOT),
        (lambda: core.cores("/c"), "find /c -xdev -type f -printf '%s %p\\n'", ROOT_MAY_FAIL),
        (
            lambda: integration.owner_of("/lib/m.ko", FAMILIES["debian"]),
            "dpkg --search -- /lib/m.ko /usr/lib/m.ko",
            MAY_FAIL,
        ),
        (
            lambda: integration.owner_of("/usr/lib/m.ko", FAMILIES["rhel"]),
            "rpm --query --queryformat '%{NAME}\\n' --file /usr/lib/m.ko /lib/m.ko",
            MAY_FAIL,
        ),
        (
            lambda: integration.disk_below("/dev/sda1"),
            "lsblk --inverse --noheadings --list --output NAME,TYPE /dev/sda1",
            PLAIN,
        ),
        (
            lambda: integration.sysfs_of("net", "eth0"),
            "readlink --canonicalize-existing /sys/class/net/eth0",
            PLAIN,
        ),
        (lambda: integration.module_file("hv_netvsc"), "modinfo --field=filename hv_netvsc", ROOT),
        (
            lambda: integration.states_of(("a", "b")),
            "systemctl show --property=Id,ActiveState a.service b.service",
            PLAIN,
        ),
        (
            lambda: memory.guest_memory(balloon=False),
            f"grep -hE '^{memory.ASKED} *:' /proc/meminfo",
            PLAIN,
        ),
        (
            lambda: memory.guest_memory(balloon=True),
            f"grep -hE '^{memory.ASKED} *:' /proc/meminfo /sys/kernel/debug/hv-balloon",
            ROOT,
        ),
        (
            lambda: filesystems.volumes("/dev/sdb"),
            "lsblk -P -o NAME,TYPE,FSTYPE,UUID /dev/sdb",
            ROOT,
        ),
        (lambda: filesystems.ext_state("/dev/sdb1"), "dumpe2fs -h /dev/sdb1", ROOT),
        (
            lambda: framebuffer.mode_of(BUFFER),
            "cat /sys/class/graphics/fb1/virtual_size /sys/class/graphics/fb1/bits_per_pixel"
            " /sys/class/graphics/fb1/stride",
            PLAIN,
        ),
        (lambda: kdump.ready(("kdumpctl", "status")), "kdumpctl status", ROOT_MAY_FAIL),
        (lambda: disks.checksums(("/a", "/b")), "sha256sum -- /a /b", ROOT),
        (lambda: disks.written("sdb"), "cat /sys/class/block/sdb/stat", PLAIN),
    ],
    ids=lambda value: re.sub(r"\W+", " ", value) if isinstance(value, str) else "",
)
def test_a_question_is_asked_in_these_words(
    question: Callable[[], Probe[Any]], asked: str, how: tuple[bool, bool]
) -> None:
    probe = question()  # made here, not when tests are collected: mutants are tried here
    assert shlex.join(probe.argv) == asked
    assert (probe.privileged, probe.fails_ok) == how


SFDISK = ("sfdisk", "--no-reread", "--force")
TELL = Step(("partx", "--update", "--nr", "1", "/dev/sdb"))


@pytest.mark.parametrize(
    ("tools", "made", "grown"),
    [
        ({"growpart"}, (), (Step(("growpart", "/dev/sdb", "1")),)),
        (
            {"sfdisk", "sgdisk", "partx"},
            (Step(("sfdisk", "--quiet", "/dev/sdb"), partitioning.SFDISK_TABLE),),
            (
                Step((*SFDISK, "--relocate", "gpt-bak-std", "/dev/sdb")),
                Step((*SFDISK, "-N", "1", "/dev/sdb"), ", +\n"),
                TELL,
            ),
        ),
        (
            {"sgdisk", "partx"},
            (Step(("sgdisk", "--new=1:2048:0", "--typecode=1:8300", "/dev/sdb")),),
            (
                Step(("sgdisk", "--move-second-header", "/dev/sdb")),
                Step(("sgdisk", "--delete=1", "--new=1:2048:0", "--typecode=1:8300", "/dev/sdb")),
                TELL,
            ),
        ),
        ({"sgdisk"}, (Step(("sgdisk", "--new=1:2048:0", "--typecode=1:8300", "/dev/sdb")),), ()),
        (set(), (), ()),
    ],
)
def test_partitions_are_made_and_grown_in_these_words(
    tools: set[str], made: tuple[Step, ...], grown: tuple[Step, ...]
) -> None:
    assert partitioning.making(tools, "/dev/sdb") == made
    assert partitioning.growing(tools, "/dev/sdb") == grown


def test_a_writer_is_started_in_these_words() -> None:
    assert shlex.join(hang.writer("w")) == (
        "systemd-run --quiet --unit=hvcert-writer --on-active=1s --on-unit-active=1s"
        " --timer-property=AccuracySec=100ms --property=StandardOutput=kmsg"
        " --property=SyslogLevel=notice echo w"
    )


def test_answers_of_questions_are_read() -> None:
    assert "/sys/devices/X" in sysfs.drivers_above("/sys/devices/X").argv
    links = sysfs.drivers_above("/devices/a/b").parse("../../bus/virtio/drivers/virtio_input\n")
    assert links == {"virtio_input"}
    assert kernel.RELEASE.parse("6.1.0-56-amd64\n") == "6.1.0-56-amd64"
    assert kernel.sysctl("a.b").parse(" 5 \n") == "5"
    assert kernel.set_sysctl("a.b", "5").parse("a.b = 5\n") == "5"
    assert kernel.set_sysctl("a.b", "5=6").parse("a.b = 5=6\n") == "5=6"
    assert integration.sysfs_of("net", "e").parse("/sys/devices/x\n") == "/sys/devices/x"
    assert workload.stop("a").parse("said") == workload.forget("a").parse("said") == "said"
    whole = bytes(core.FLAT_END).hex(" ")
    assert core.tail(core.CoreFile("/c", 9000)).parse(f" {whole}\n") is True
    assert core.tail(core.CoreFile("/c", 9000)).parse(" 00 01\n") is False


@pytest.mark.parametrize("text", ["", "a\nb\n"])
def test_a_setting_is_one_line(text: str) -> None:
    with pytest.raises(EvidenceError):
        kernel.parse_word(text)


def test_a_setting_that_the_kernel_did_not_take_is_an_error() -> None:
    with pytest.raises(EvidenceError):
        kernel.set_sysctl("kernel.panic", "5").parse("kernel.panic = 0\n")


def test_a_memory_block_counts_from_128_mib_on() -> None:
    assert memory.block_of(64 * MiB) == 128 * MiB
    assert memory.block_of(2 * GiB) == 2 * GiB


def test_a_backup_says_what_it_claims_only_when_it_is_whole() -> None:
    proof = (Evidence("a", "b", "c"),)
    good, bad = pass_if(True, "good", proof), pass_if(False, "bad", proof)  # noqa: FBT003
    assert judge_backup("told", good).because.startswith("told; ")
    assert judge_backup("told", good, bad).because == "bad"
