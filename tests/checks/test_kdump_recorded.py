"""Whole crashes as they were recorded: one passes, and each single wrong thing fails it."""

from __future__ import annotations

from harness.checks import core, kdump
from harness.checks.capture import judge_capture
from harness.checks.kernel_log import parse_kernel_log
from harness.checks.platform import STAND_IN
from harness.verdict import Outcome, Verdict, all_of
from tests.checks.conftest import Recording

FOLDER = "kdump"


def judged(crash: Recording) -> Verdict:
    """Judge a recording as the case does, with no step left out."""
    flag = kdump.parse_count
    armed = kdump.judge_armed(
        crash.measured("kexec_crash_loaded", flag),
        crash.measured("kexec_crash_size", flag),
        crash.measured("status", kdump.parse_ready),
    )
    listings = ("cores before", "cores after", "cores a moment later")
    files = kdump.judge_files(*(crash.measured(name, core.parse_files) for name in listings))
    head = crash.measured("head", core.parse_header)
    ends = crash.measured("tail", lambda text: core.parse_bytes(text) == core.FLAT_END)
    whole = kdump.judge_header(head, ends, crash.sections["release"].strip())
    log = crash.measured("core log", parse_kernel_log)
    panic = kdump.judge_panic(log, crash.sections["nonce"].strip(), kdump.SYSRQ)
    usual = crash.measured("command line", str.strip)
    capture = judge_capture(crash.measured("capture log", parse_kernel_log), STAND_IN, usual)
    return all_of("a whole core of this crash", armed, files, whole, panic, capture)


def test_a_recorded_crash_is_judged_as_its_name_says(recording: Recording, outcome: str) -> None:
    assert judged(recording).outcome is Outcome(outcome)


def test_each_wrong_thing_is_named_alone(recording: Recording, outcome: str) -> None:
    verdict = judged(recording)
    assert outcome == "pass" or ";" not in verdict.because, verdict.because
