"""Copies of a guest's file systems: what a frozen one holds, and everything that must not pass."""

from __future__ import annotations

from harness.checks.filesystems import judge_checked, judge_ext, parse_ext
from harness.checks.records import (
    Written,
    judge_prefix,
    judge_stall,
    parse_acknowledged,
    parse_records,
)
from harness.errors import EvidenceError
from harness.evidence import Measured
from harness.verdict import all_of
from tests.checks.conftest import Recording

FOLDER = "backup"


def judged(recording: Recording) -> str:
    try:
        looks = (recording.measured(n, parse_acknowledged) for n in ("before", "after", "end"))
        written = Written(*looks)
        prefix = judge_prefix("/", written, recording.measured("records", parse_records))
        if "dumpe2fs" in recording.sections:
            state = judge_ext("/", recording.measured("dumpe2fs", parse_ext))
        else:
            said = recording.measured("xfs_repair", str)
            status = Measured(recording.given["status"], said.evidence)
            state = judge_checked("/", "xfs", status)
        return all_of("fine", prefix, state, judge_stall("/", written.end)).outcome.value
    except EvidenceError:
        return "error"


def test_a_copy_is_judged_as_its_recording_says(recording: Recording, outcome: str) -> None:
    assert judged(recording) == outcome
