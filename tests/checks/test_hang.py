"""A guest counts as hung only when nothing of it was heard; else the case has not done its part."""

from __future__ import annotations

import pytest

from harness.checks.hang import Silence, check_outside, check_writer, loop_on, writer
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
    with pytest.raises(EvidenceError):
        check_writer(core(20.0, 49.5), WORD, MARK)


def test_a_writer_that_never_wrote_proves_nothing() -> None:
    with pytest.raises(EvidenceError):
        check_writer(core(20.0, 60.0), "another-word", MARK)
    with pytest.raises(EvidenceError):
        check_writer(core(20.0, 60.0), WORD, "another crash")


def test_loops_and_writer_are_words_for_systemd_alone() -> None:
    assert loop_on(1)[-4:] == ("dd", "if=/dev/zero", "of=/dev/null", "bs=64k")
    assert "--property=CPUAffinity=1" in loop_on(1)
    assert writer(WORD)[-2:] == ("echo", WORD)
    assert not any(word in ("sh", "-c") for word in (*loop_on(0), *writer(WORD)))
