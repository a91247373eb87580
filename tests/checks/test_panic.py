from __future__ import annotations

import pytest

from harness.checks.panic import Panic, parse_panic

UHHUH = "[  1.000000] Uhhuh. NMI received for unknown reason 21 on CPU 3.\n"
PANIC = "[  2.000000] Kernel panic - not syncing: NMI: Not continuing\n"


def test_a_quiet_log_has_no_panic() -> None:
    assert parse_panic("[  1.000000] Command line: panic=-1 crashkernel=192M\n") == Panic()


def test_the_cpu_of_the_nmi_comes_before_that_of_the_panic() -> None:
    cpu = "[  2.000001] CPU: 7 PID: 0 Comm: swapper/7\n"
    assert parse_panic(UHHUH + PANIC + cpu).cpu == 3
    assert parse_panic(PANIC + cpu).cpu == 7
    assert parse_panic(cpu + PANIC).cpu is None


def test_a_cpu_of_the_next_boot_is_not_the_panics() -> None:
    text = PANIC + "[  0.000000] Linux version 6\n[  0.000001] CPU: 0 PID: 1 Comm: swapper\n"
    assert parse_panic(text).cpu is None


def test_a_cpu_that_a_boot_names_is_not_that_of_a_panic_whose_beginning_is_missing() -> None:
    boot = "[  0.000000] Linux version 6\n[  0.000001] CPU: 3 PID: 1 Comm: swapper\n"
    end = "[  3.000000] ---[ end Kernel panic - not syncing: x ]---\n"
    assert parse_panic(boot + end).cpu is None


def test_the_end_line_says_no_more_than_the_first() -> None:
    end = "[  3.000000] ---[ end Kernel panic - not syncing: NMI: Not continuing ]---\n"
    for text in (PANIC, PANIC + end, end):
        assert parse_panic(text).reason == "NMI: Not continuing"
        assert parse_panic(text).panic


def test_an_end_line_without_a_reason_leaves_reason_and_cpu_as_they_were() -> None:
    cpu = "[  2.000001] CPU: 7 PID: 0 Comm: swapper/7\n"
    end = "[  3.000000] ---[ end Kernel panic - not syncing\n"
    found = parse_panic(PANIC + cpu + end + cpu.replace("7", "1"))
    assert (found.reason, found.cpu) == ("NMI: Not continuing", 7)


def test_a_later_panic_without_a_reason_has_none() -> None:
    assert parse_panic(PANIC + "[  9.000000] Kernel panic - not syncing\n").reason is None


def test_the_last_panic_counts() -> None:
    later = "[  9.000000] Kernel panic - not syncing: sysrq triggered crash\n"
    assert parse_panic(PANIC + later).reason == "sysrq triggered crash"


def test_who_merely_quotes_a_panic_has_none() -> None:
    assert not parse_panic("tool: found 'Kernel panic - not syncing: x' in the log\n").panic
    assert not parse_panic("Jun  1 01:02:03 vm1 grep[1]: Kernel panic - not syncing: x\n").panic


def test_the_panic_of_a_dump_is_that_of_its_kernel() -> None:
    crash = """\
      MEMORY: 3 GB
       PANIC: "Kernel panic - not syncing: sysrq triggered crash"
         PID: 1567
         CPU: 5
"""
    assert parse_panic(crash) == Panic(panic=True, reason="sysrq triggered crash", cpu=5)
    other = 'PANIC: "Oops: 0002 [#1] SMP " (check log for details)\n'
    assert parse_panic(other) == Panic()


def test_serr_has_a_reason_but_is_not_unknown() -> None:
    found = parse_panic("[  1.0000] NMI: PCI system error (SERR) for reason b1 on CPU 0.\n")
    assert (found.unknown_nmi, found.nmi_reason, found.cpu) == (False, "0xb1", 0)


BOOT = "[    0.000000] Linux version 6.1.0 (a@b)\n"
CRASH = (
    "[  108.2170] Kernel panic - not syncing: sysrq triggered crash\n[  108.2201] CPU: 2 PID: 1\n"
)


def test_the_next_boot_does_not_undo_a_panic() -> None:
    assert parse_panic(CRASH + BOOT) == Panic(panic=True, reason="sysrq triggered crash", cpu=2)


def test_of_two_boots_that_panicked_the_last_counts() -> None:
    early = "[   10.1] Uhhuh. NMI received for unknown reason 21 on CPU 5.\n"
    assert parse_panic(early + BOOT + CRASH) == parse_panic(CRASH)


def test_an_nmi_line_without_a_cpu_is_read() -> None:
    found = parse_panic("Uhhuh. NMI received for unknown reason 21.\n")
    assert found == Panic(unknown_nmi=True, nmi_reason="0x21")


@pytest.mark.parametrize(
    "line",
    [
        "vm1 login: Kernel panic - not syncing: x",
        " kernel:Kernel panic - not syncing: x",
        "<0>[   10.123456] Kernel panic - not syncing: x",
        "[root@vm1 ~]# Kernel panic - not syncing: x",
    ],
)
def test_what_stands_before_a_panic_on_a_console_hides_nothing(line: str) -> None:
    assert parse_panic(line).reason == "x"
