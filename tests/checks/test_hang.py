"""A guest counts as hung only when nothing of it was heard; else the case has not done its part."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.checks.hang import LOOPS, Silence, check_outside, check_writer, loops_on, writer
from harness.checks.kernel_log import KernelLog, parse_kernel_log
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured

WORD, MARK = "hvcert-writer-0123", "NMI received for unknown reason"
LOGIN = Evidence("ssh", "no SSH within 30 s", "guest")


def silence(before: str, after: str) -> Silence:
    return Silence(LOGIN, Measured(before, ()), Measured(after, ()))


def core(last_word: float, died: float) -> Measured[KernelLog]:
    text = (
        f"[   10.000000] echo[400]: {WORD}\n[{last_word:12.6f}] echo[401]: {WORD}\n"
        f"[{died:12.6f}] Uhhuh. {MARK} 30 on CPU 0.\n"
    )
    return Measured(parse_kernel_log(text), (Evidence("core", text, "guest"),))


def test_a_host_that_still_hears_the_guest_shows_that_it_does_not_hang() -> None:
    check_outside(silence("OkApplicationsUnknown", "LostCommunication"))
    check_outside(silence("NoContact", "NoContact"))  # a host that never heard one
    with pytest.raises(EvidenceError):
        check_outside(silence("OkApplicationsUnknown", "OkApplicationsUnknown"))


def test_the_writer_has_to_be_silent_for_30_seconds_before_the_crash() -> None:
    check_writer(core(20.0, 50.5), WORD, MARK)
    check_writer(core(20.0, 50.0), WORD, MARK)
    with pytest.raises(EvidenceError):
        check_writer(core(20.0, 49.5), WORD, MARK)


def test_a_writer_that_never_wrote_proves_nothing() -> None:
    with pytest.raises(EvidenceError):
        check_writer(core(20.0, 60.0), "another-word", MARK)
    with pytest.raises(EvidenceError):
        check_writer(core(20.0, 60.0), WORD, "another crash")


def test_one_command_starts_the_loops_on_all_cpus_and_no_value_is_part_of_its_script() -> None:
    assert loops_on((0, 3)) == (
        "systemd-run", "--quiet", "--no-block", "--unit=hvcert-hang",
        "--property=CPUSchedulingPolicy=fifo", "--property=CPUSchedulingPriority=99",
        "sh", "-c", LOOPS, "hvcert-hang", "0", "3",
    )  # fmt: skip
    assert loops_on((1,))[0] == writer(WORD)[0] == "systemd-run"
    assert writer(WORD)[-2:] == ("echo", WORD)


def test_the_script_puts_a_real_time_loop_on_each_cpu_that_it_is_given(tmp_path: Path) -> None:
    for name in ("chrt", "taskset"):
        tool = tmp_path / name
        tool.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        tool.chmod(0o755)
    run = [*loops_on((0, 3))[7:]]
    assert run[0] == "-c"
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["/bin/sh", *run], env=environment, stdout=subprocess.PIPE, check=True)
    said = sorted(done.stdout.decode().splitlines())
    assert [line.rsplit(" ", 1)[0] for line in said[2:]] == [
        "taskset --cpu-list --pid 0",
        "taskset --cpu-list --pid 3",
    ]
    assert said[:2] == ["chrt --fifo 98 dd if=/dev/zero of=/dev/null bs=64k"] * 2
