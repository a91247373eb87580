from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.checks.health import judge_health, judge_health_at_login, read_problems
from harness.checks.kernel_log import KernelLog, new_records, parse_kernel_log
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.verdict import Outcome

if TYPE_CHECKING:
    from tests.checks.conftest import Recording

FOLDER = "health"


def test_health_is_judged_as_recorded(recording: Recording, outcome: str) -> None:
    before = recording.measured("dmesg (before)", parse_kernel_log)
    after = recording.measured("dmesg (after)", parse_kernel_log)
    if outcome == "error":
        with pytest.raises(EvidenceError, match="line seen before"):
            judge_health(before, after)
        return
    verdict = judge_health(before, after)
    assert verdict.outcome.value == outcome, verdict.because


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("watchdog: BUG: soft lockup - CPU#6 stuck for 26s! [kworker/6:1H:195]", "lockup"),
        ("NMI watchdog: Watchdog detected hard LOCKUP on cpu 1", "lockup"),
        ("rcu: INFO: rcu_sched self-detected stall on CPU", "rcu-stall"),
        ("INFO: rcu_sched detected stalls on CPUs/tasks:", "rcu-stall"),
        ("rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: {", "rcu-stall"),
        ("INFO: task jbd2/sda1-8:201 blocked for more than 120 seconds.", "hung-task"),
        ("kernel BUG at mm/slub.c:305!", "bug"),
        ("BUG: unable to handle kernel NULL pointer dereference at 0000000000000008", "bug"),
        ("general protection fault, probably for non-canonical address 0xdead: 0000 [#1]", "oops"),
        ("invalid opcode: 0000 [#1] PREEMPT SMP PTI", "oops"),
        ("Internal error: Oops: 96000004 [#1] SMP", "oops"),
        ("Unable to handle kernel paging request at virtual address dead", "oops"),
        ("WARNING: CPU: 3 PID: 77 at net/core/dev.c:2871 skb_warn+0xbc/0xf0", "warning"),
        ("WARNING: at fs/buffer.c:1197 mark_buffer_dirty+0x1/0x2()", "warning"),
        ("WARNING: possible circular locking dependency detected", "warning"),
        ("irq 16: nobody cared (try booting with the \"irqpoll\" option)", "interrupt"),
        ("mce: [Hardware Error]: CPU 0: Machine Check Exception: 4 Bank 0: b2", "hardware-error"),
        ("Out of memory: Killed process 1234 (stress-ng) total-vm:1kB", "oom"),
        ("stress-ng invoked oom-killer: gfp_mask=0x100cca, order=0", "oom"),
        ("kworker/0:2: page allocation failure: order:9, mode:0x4cc0", "allocation"),
        ("blk_update_request: I/O error, dev sda, sector 2048", "io-error"),
        ("print_req_error: critical medium error, dev sdb, sector 0", "io-error"),
        ("Buffer I/O error on dev sda1, logical block 0, lost async page write", "io-error"),
        ("EXT4-fs error (device sda1): ext4_lookup:1602: inode #2: comm ls: deleted", "filesystem"),
        ("EXT4-fs (sda1): Remounting filesystem read-only", "filesystem"),
        ("Aborting journal on device sda1-8.", "filesystem"),
        ("XFS (dm-0): Metadata corruption detected at xfs_agi_read_verify", "filesystem"),
        ("XFS (sdb1): xfs_do_force_shutdown(0x8) called from line 1 of file x", "filesystem"),
        ("BTRFS error (device sdb): bdev /dev/sdb errs: wr 1, rd 0", "filesystem"),
        ("systemd-udevd[301]: segfault at 8 ip 00007f sp 00007f error 4 in libc.so", "segfault"),
        ("traps: hv_kvp_daemon[77] general protection fault ip:4 sp:7 error:0", "segfault"),
        ("Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b", "panic"),
    ],
)  # fmt: skip
def test_trouble_is_found_and_named(line: str, kind: str) -> None:
    (problem,) = read_problems(f"[  100.000000] {line}\n")
    assert problem.kind == kind
    assert line in problem.line


@pytest.mark.parametrize(
    "line",
    [
        "NMI watchdog: Shutting down hard lockup detector on all cpus",
        "NMI watchdog: Perf event create on CPU 0 failed with -2",
        "blk_update_request: I/O error, dev fd0, sector 0",
        "I/O error, dev sr0, sector 8 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 0",
        "Buffer I/O error on dev sr0, logical block 1, async page read",
        "floppy: error -5 while reading block 0",
        "psmouse serio1: trackpoint: failed to get extended button data",
        "RAS: Correctable Errors collector initialized.",
        "acpi PNP0A03:00: _OSC failed (AE_NOT_FOUND); disabling ASPM",
        "EXT4-fs (sda1): re-mounted. Opts: errors=remount-ro",
        "hv_storvsc f8b3781a-1e82: tag#837 cmd 0x5a status: scsi 0x2 srb 0x86 hv 0xc0000001",
        "hv_vmbus: Unknown GUID: f8e65716-3cb3-4a06-9a60-1889c5cccab5",
        "Kernel command line: root=/dev/sda1 panic=-1 oops=panic",
        "Command line: x BUG: Oops: y",
        "critical target error, dev sda, sector 0 op 0x3:(DISCARD) flags 0x0 phys_seg 1",
        "operation not supported error, dev sda, sector 0 op 0x9:(WRITE_ZEROES) flags 0x0",
        "Uhhuh. NMI received for unknown reason 21 on CPU 0.",
        "Dazed and confused, but trying to continue",
        "Hyper-V: enabling crash_kexec_post_notifiers",
        "[Firmware Bug]: TSC_DEADLINE disabled due to Errata",
        "* Found PM-Timer Bug on the chipset. Due to workarounds for a bug,",
        "x86/mm: Checked W+X mappings: passed, no W+X pages found.",
        "cloud-init[624]: WARNING: something about a datasource",
        "clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc' as unstable",
        "piix4_smbus 0000:00:07.3: SMBus base address uninitialized - upgrade BIOS or use force",
    ],
)
def test_what_only_looks_like_trouble_is_not_listed(line: str) -> None:
    assert read_problems(f"[  100.000000] {line}\n") == ()


def test_a_call_trace_belongs_to_the_problem_before_it() -> None:
    trace = "[  1.000002] Call Trace:\n[  1.000003]  dump_stack+0x1/0x2\n"
    assert [p.kind for p in read_problems(trace)] == ["call-trace"]
    warned = "[  1.000001] WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n" + trace
    assert [p.kind for p in read_problems(warned)] == ["warning"]


def test_a_storvsc_read_error_is_trouble_unless_the_virtual_dvd_explains_it() -> None:
    read = "[  1.000001] hv_storvsc x: tag#1 cmd 0x28 status: scsi 0x2 srb 0x4 hv 0xc0000001\n"
    dvd = "[  1.000002] I/O error, dev sr0, sector 8\n"
    assert [p.kind for p in read_problems(read)] == ["io-error"]
    assert read_problems(read + dvd) == ()
    assert read_problems(dvd + read) == ()


def test_who_merely_quotes_a_panic_has_none() -> None:
    assert read_problems("lisa.KernelPanicException: log says 'Kernel panic - not syncing'") == ()
    assert read_problems("Jun  1 01:02:03 vm1 sshd[1]: BUG: soft lockup") == ()


def test_the_end_of_a_panic_counts_where_its_beginning_is_missing() -> None:
    end = "[    4.300000] ---[ end Kernel panic - not syncing: Attempted to kill init! ]---\n"
    assert [problem.kind for problem in read_problems(end)] == ["panic"]
    begin = "[    4.200000] Kernel panic - not syncing: Attempted to kill init!\n"
    assert [problem.line for problem in read_problems(begin + end)] == [begin.rstrip()]


def test_a_provoked_kind_is_not_held_against_the_guest() -> None:
    text = "[  1.000000] x\n"
    oom = text + "[  2.000000] Out of memory: Killed process 9 (load)\n"
    before, after = (
        Measured(parse_kernel_log(t), (Evidence("dmesg", t, "guest g1"),)) for t in (text, oom)
    )
    assert judge_health(before, after).outcome.value == "fail"
    assert judge_health(before, after, frozenset({"oom"})).outcome.value == "pass"


def log(text: str) -> KernelLog:
    return parse_kernel_log(text)


def reading(text: str) -> Measured[KernelLog]:
    return Measured(parse_kernel_log(text), (Evidence("dmesg", text),))


def bugs(count: int) -> list[str]:
    return [f"[    {n}.000000] BUG: bad page state in process p{n}" for n in range(1, count + 1)]


LINES = [f"[   {n}.000000] line {n}\n" for n in range(1, 9)]


def test_what_is_new_in_a_log_is_found_also_when_its_start_was_overwritten() -> None:
    before = log("".join(LINES[:5]))
    for start in range(5):
        fresh = new_records(before, log("".join(LINES[start:])))
        assert fresh is not None
        assert [record.message for record in fresh] == ["line 6", "line 7", "line 8"]
    assert new_records(before, before) == ()


def test_a_log_that_lost_everything_seen_before_is_an_error() -> None:
    with pytest.raises(EvidenceError):
        new_records(log("".join(LINES[:5])), log("".join(LINES[6:])))


def test_another_boot_has_nothing_in_common() -> None:
    assert new_records(log("".join(LINES[:5])), log("[   0.000000] Linux version 6\n")) is None


@pytest.mark.parametrize("begins", ["[   4.000000] other\n", "[   5.000000] other\n"])
def test_a_log_that_begins_no_later_than_the_last_line_seen_is_of_another_boot(begins: str) -> None:
    assert new_records(log("".join(LINES[:5])), log(begins)) is None


def test_the_same_line_again_is_new() -> None:
    again = "[   9.000000] again\n"
    fresh = new_records(log(LINES[0] + again), log(again + again))
    assert fresh is not None
    assert [record.message for record in fresh] == ["again"]


def test_an_empty_log_is_no_answer() -> None:
    with pytest.raises(EvidenceError):
        parse_kernel_log("\n \n")


def test_a_problem_of_the_boot_itself_fails_and_a_clean_boot_passes() -> None:
    clean = "[    0.000000] Linux version 6.1.0\n[    1.000000] systemd[1]: Started.\n"
    sick = clean + "[    2.000000] BUG: kernel NULL pointer dereference, address: 08\n"
    for text, outcome in ((clean, Outcome.PASS), (sick, Outcome.FAIL)):
        assert judge_health_at_login(reading(text)).outcome is outcome


def test_a_login_tells_of_three_problems_at_most() -> None:
    lines = bugs(4)
    because = judge_health_at_login(reading("\n".join(lines))).because
    told = "; ".join(f"bug: {line}" for line in lines[:3])
    assert because == f"in the kernel log at login: {told}"


@pytest.mark.parametrize(
    "line",
    [
        "UBSAN: shift-out-of-bounds in drivers/x.c:12:3",
        "list_add corruption. next->prev should be prev",
        "lost page write due to I/O error on sdb1",
        "nvme nvme0: I/O 12 QID 1 timeout, aborting",
        "EXT4-fs (sda1): previous I/O error to superblock detected",
        "FAT-fs (sda1): error, fat_get_cluster: invalid cluster chain",
        "hv_storvsc vmbus_0_1: cmd 0x2a scsi status 0x2 srb status 0x4",
    ],
)
def test_trouble_of_fewer_words_is_seen_too(line: str) -> None:
    assert len(read_problems(f"[  100.123456] {line}\n")) == 1


@pytest.mark.parametrize(
    "asked", ["sysrq: Show Blocked State", "SysRq : Show backtrace of all CPUs"]
)
def test_call_traces_that_somebody_asked_for_are_no_problem(asked: str) -> None:
    text = f"[  100.000001] {asked}\n[  100.000002] task:x state:D\n[  100.000003] Call Trace:\n"
    assert read_problems(text) == ()
    assert len(read_problems(f"{text}[  200.000001] Call Trace:\n")) == 1


@pytest.mark.parametrize(("count", "more"), [(3, ""), (4, " (and 1 more)"), (5, " (and 2 more)")])
def test_of_many_new_problems_three_are_told_and_the_rest_counted(count: int, more: str) -> None:
    clean = "[    0.000000] Linux version 6.1.0\n"
    lines = bugs(count)
    before, after = reading(clean), reading(clean + "\n".join(lines))
    told = "; ".join(f"bug: {line}" for line in lines[:3])
    assert judge_health(before, after).because == f"new in the kernel log: {told}{more}"


STORVSC = "hv_storvsc vmbus_0_1: cmd 0x2a scsi status 0x2 srb status 0x4"
OPTICAL = "sr 0:0:0:1: [sr0] scsi3-mmc drive: 0x/0x tray"
TRACE, BUG = "Call Trace:", "BUG: bad page state in process sh"


def kinds(*messages: str, every: float = 0.1) -> list[str]:
    stamped = (f"[{10 + every * n:12.6f}] {message}" for n, message in enumerate(messages))
    return [problem.kind for problem in read_problems("\n".join(stamped))]


def plain(count: int) -> tuple[str, ...]:
    return ("usb 1-1: new device",) * count


def test_an_error_of_the_synthetic_disk_counts_unless_the_dvd_is_named_within_six_lines() -> None:
    (kind,) = kinds(STORVSC)
    assert kinds(STORVSC, *plain(20)) == [kind]
    assert kinds(STORVSC, *plain(5), OPTICAL) == []
    assert kinds(STORVSC, *plain(6), OPTICAL) == [kind]
    assert kinds(OPTICAL, *plain(4), STORVSC) == []
    assert kinds(OPTICAL, *plain(5), STORVSC) == [kind]
    assert kinds(OPTICAL, STORVSC, BUG) == ["bug"]


def test_a_call_trace_within_forty_lines_belongs_to_its_problem() -> None:
    assert kinds(TRACE) == kinds(*plain(3), TRACE) == ["call-trace"]
    assert kinds(BUG, *plain(39), TRACE) == ["bug"]
    assert kinds(BUG, *plain(40), TRACE) == ["bug", "call-trace"]


def test_traces_that_somebody_asked_for_are_no_problem_for_five_seconds() -> None:
    asked = "sysrq: Show Blocked State"
    assert kinds(asked, TRACE, every=5.0) == []
    assert kinds(asked, TRACE, every=5.1) == ["call-trace"]
    assert kinds("a tool: Show Blocked State", TRACE) == ["call-trace"]


def test_a_bare_line_counts_only_when_its_sign_begins_early() -> None:
    for width, found in ((32, ["bug"]), (33, [])):
        assert [problem.kind for problem in read_problems("x" * (width - 1) + " " + BUG)] == found
    assert kinds("x" * 60 + " " + BUG) == ["bug"]
