"""kdump's judges: what passes, and everything that must never pass."""

from __future__ import annotations

from typing import TypeVar

import pytest

from harness.checks.core import CoreFile, CoreHeader
from harness.checks.kdump import (
    NMI,
    SYSRQ,
    Trigger,
    judge_armed,
    judge_back,
    judge_files,
    judge_header,
    judge_panic,
    judge_reported,
    new_cores,
    parse_count,
    parse_ready,
    reservation,
    too_many_cpus,
    until_crash,
)
from harness.checks.kernel_log import KernelLog, parse_kernel_log
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.units import GiB, MiB
from harness.verdict import Outcome

T = TypeVar("T")
PASS, FAIL = Outcome.PASS, Outcome.FAIL
RELEASE = "6.1.0-56-cloud-amd64"
NONCE = "hvcert-crash-0123456789abcdef"
DIED = f"""\
[    0.000000] Linux version {RELEASE} (debian-kernel@lists.debian.org)
[   30.100000] {NONCE}
[   31.200000] sysrq: Trigger a crash
[   31.200100] Kernel panic - not syncing: sysrq triggered crash
[   31.200200] CPU: 1 PID: 900 Comm: tee Not tainted {RELEASE} #1
[   31.200300] Call Trace:
[   31.200400]  sysrq_handle_crash+0x16/0x20
"""
BY_NMI = f"""\
[   30.100000] {NONCE}
[   90.000000] Uhhuh. NMI received for unknown reason 30 on CPU 0.
[   90.000100] Kernel panic - not syncing: NMI: Not continuing
[   90.000200] CPU: 0 PID: 0 Comm: dd Not tainted {RELEASE} #1
"""
BY_NULL_POINTER = f"""\
[   30.100000] {NONCE}
[   31.200000] sysrq: SysRq : Trigger a crash
[   31.200100] BUG: unable to handle kernel NULL pointer dereference at           (null)
[   31.200200] IP: [<ffffffff81422b86>] sysrq_handle_crash+0x16/0x20
"""


def read(value: T, text: str = "") -> Measured[T]:
    return Measured(value, (Evidence("asked", text or repr(value), "guest"),))


def log(text: str) -> Measured[KernelLog]:
    return read(parse_kernel_log(text), text)


@pytest.mark.parametrize(
    ("loaded", "reserved", "said", "outcome"),
    [
        (1, 192 << 20, True, PASS),
        (0, 192 << 20, True, FAIL),
        (1, 0, True, FAIL),
        (1, 192 << 20, False, FAIL),
    ],
)
def test_armed_is_what_kernel_memory_and_service_all_say(
    loaded: int, reserved: int, said: object, outcome: Outcome
) -> None:
    assert judge_armed(read(loaded), read(reserved), read(bool(said))).outcome is outcome


def test_all_that_keeps_a_guest_from_being_armed_is_said() -> None:
    told = (
        "no memory is reserved (kexec_crash_size 0); kdump's own service says that it is not ready"
    )
    assert judge_armed(read(1), read(0), read(False)).because == told  # noqa: FBT003  # a reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("current state   : ready to kdump\n", True),
        ("current state:    Not ready to kdump\n", False),
        ("kdump: Kdump is operational\n", True),
        ("kdump: Kdump is not operational\n", False),
        ("active\n", True),
        ("inactive\n", False),
        ("activating\n", False),
        ("failed\n", False),
        ("current state: ready to kdump\ncurrent state: Not ready to kdump\n", False),
    ],
)
def test_not_ready_to_kdump_is_not_ready(text: str, expected: object) -> None:
    assert parse_ready(text) is expected


def test_a_service_that_says_nothing_known_is_an_error() -> None:
    with pytest.raises(EvidenceError):
        parse_ready("bash: kdump-config: command not found")
    with pytest.raises(EvidenceError):
        parse_count("")


OLD = CoreFile("/var/crash/1/dump.1", 100)
NEW = CoreFile("/var/crash/2/dump.2", 27_000_000)


@pytest.mark.parametrize(
    ("first", "second", "outcome", "word"),
    [
        ((OLD, NEW), (OLD, NEW), PASS, "dump.2"),
        ((OLD,), (OLD,), FAIL, "left no core"),
        ((), (), FAIL, "left no core"),
        ((OLD, CoreFile(NEW.path, 5)), (OLD, NEW), FAIL, "still growing"),
        ((OLD,), (OLD, NEW), FAIL, "still growing"),
        (
            (OLD, CoreFile("/var/crash/2/dump-incomplete", 9)),
            (OLD, CoreFile("/var/crash/2/dump-incomplete", 9)),
            FAIL,
            "incomplete",
        ),
        ((CoreFile(NEW.path, 0),), (CoreFile(NEW.path, 0),), FAIL, "incomplete"),
        (
            (NEW, CoreFile("/var/crash/3/dump-incomplete", 7)),
            (NEW, CoreFile("/var/crash/3/dump-incomplete", 7)),
            FAIL,
            "more than one",
        ),
        (
            (OLD, NEW, CoreFile("/var/crash/3/dump.3", 7)),
            (OLD, NEW, CoreFile("/var/crash/3/dump.3", 7)),
            FAIL,
            "more than one",
        ),
    ],
)
def test_one_new_core_has_to_be_there_finished_and_still(
    first: tuple[CoreFile, ...], second: tuple[CoreFile, ...], outcome: Outcome, word: str
) -> None:
    verdict = judge_files(read((OLD,)), read(first), read(second))
    assert verdict.outcome is outcome
    assert word in verdict.because


def test_a_core_from_before_is_not_new() -> None:
    assert new_cores((OLD,), (OLD, NEW)) == (NEW,)


@pytest.mark.parametrize(
    ("header", "ends", "outcome"),
    [
        (CoreHeader("kdump", RELEASE), None, PASS),
        (CoreHeader("kdump", RELEASE, flattened=True), True, PASS),
        (CoreHeader("kdump", RELEASE, flattened=True), False, FAIL),
        (CoreHeader("kdump", RELEASE, incomplete=True), None, FAIL),
        (CoreHeader("kdump", "5.10.0-32-amd64"), None, FAIL),
    ],
)
def test_a_core_is_whole_and_of_the_kernel_that_ran(
    header: CoreHeader, ends: object, outcome: Outcome
) -> None:
    end = None if ends is None else read(bool(ends))
    assert judge_header(read(header), end, RELEASE).outcome is outcome


def test_a_flattened_core_whose_end_was_not_read_is_an_error() -> None:
    with pytest.raises(EvidenceError):
        judge_header(read(CoreHeader("kdump", RELEASE, flattened=True)), None, RELEASE)


@pytest.mark.parametrize(
    ("text", "trigger", "cpu", "outcome"),
    [
        (DIED, SYSRQ, None, PASS),
        (DIED, SYSRQ, 1, PASS),
        (DIED, SYSRQ, 0, FAIL),
        (BY_NMI, NMI, None, PASS),
        (BY_NULL_POINTER, SYSRQ, None, PASS),
        (DIED, NMI, None, FAIL),
        (BY_NMI, SYSRQ, None, FAIL),
        (DIED.replace(NONCE, "hvcert-crash-fedcba"), SYSRQ, None, FAIL),
        (DIED.replace("Kernel panic", "kernel gossip").replace("sysrq_handle", "x"), SYSRQ, None,
         FAIL),
        (DIED.replace("sysrq triggered crash", "Out of memory"), SYSRQ, None, FAIL),
        (f"{DIED}[   40.000000] Kernel panic - not syncing: x\n", SYSRQ, None, FAIL),
        (f"{DIED}[   40.000000] {NONCE}\n", SYSRQ, None, FAIL),
        (DIED.replace("sysrq: Trigger a crash", "something else"), SYSRQ, None, FAIL),
    ],
)  # fmt: skip
def test_the_log_has_to_hold_exactly_this_cases_panic(
    text: str, trigger: Trigger, cpu: int | None, outcome: Outcome
) -> None:
    assert judge_panic(log(text), NONCE, trigger, cpu).outcome is outcome


def test_a_panic_before_the_nonce_is_none_of_this_case() -> None:
    earlier = "[   20.000000] Kernel panic - not syncing: sysrq triggered crash\n"
    only = f"{earlier}[   30.100000] {NONCE}\n"
    assert judge_panic(log(only), NONCE, SYSRQ).outcome is FAIL


def test_what_stands_before_the_crash_is_the_guests_own() -> None:
    own = until_crash(log(DIED), SYSRQ).value.records
    assert [record.message for record in own][-1] == NONCE
    assert len(until_crash(log(BY_NMI), NMI).value.records) == 1
    unmarked = log("[    1.000000] a line\n[    2.000000] Kernel panic - not syncing: other\n")
    cut = until_crash(unmarked, SYSRQ)
    assert [record.message for record in cut.value.records] == ["a line"]
    assert cut.evidence == unmarked.evidence


ANNOUNCED = "[    1.098889] Hyper-V: enabling crash_kexec_post_notifiers\n"


@pytest.mark.parametrize(
    ("boot", "count", "outcome"),
    [(ANNOUNCED, 1, PASS), (ANNOUNCED, 0, FAIL), (DIED, 0, PASS), (DIED, 1, PASS)],
)
def test_event_18590_is_a_condition_where_the_kernel_announced_it(
    boot: str, count: int, outcome: Outcome
) -> None:
    seen = (read(3), read(3 + count))
    assert judge_reported(*seen, parse_kernel_log(boot)).outcome is outcome


def test_a_guest_that_does_not_come_back_fails() -> None:
    assert judge_back("a", None, (Evidence("Get-VM", "Running", "host"),)).outcome is FAIL
    assert judge_back("a", read("b"), ()).outcome is PASS
    assert judge_back("a", read("a"), ()).outcome is FAIL


def test_only_2012_r2_with_15_vcpus_cannot_dump() -> None:
    limit = "host build 9600 cannot dump a guest with 15 vCPUs (≥ 15: KB 2858695)"
    assert too_many_cpus(9600, 15) == limit
    assert not too_many_cpus(9600, 14)
    assert not too_many_cpus(14393, 64)


def test_the_reservation_follows_the_guests_memory() -> None:
    assert reservation(1024 * MiB) == "crashkernel=192M"
    assert reservation(2 * GiB) == "crashkernel=512M"


def test_all_that_is_wrong_with_a_core_is_said() -> None:
    verdict = judge_header(read(CoreHeader("kdump", "5.10", incomplete=True)), None, RELEASE)
    told = f"the core is of kernel 5.10, the guest ran {RELEASE}"
    assert verdict.because == f"the core breaks off before its end; {told}"
