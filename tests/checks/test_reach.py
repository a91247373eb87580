"""Dump targets that take a dump, and those that are full, down or refuse the key."""

from __future__ import annotations

import pytest

from harness.checks.reach import judge_target, read_answer, room
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.units import Bytes, GiB, MiB
from harness.verdict import Outcome

DENIED = "hvcert@10.99.0.2: Permission denied (publickey)."


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (DENIED, "refuses"),
        ("mount.nfs: access denied by server while mounting 10.99.0.2:/srv", "refuses"),
        ("ssh: connect to host 10.99.0.2 port 22: No route to host", "down"),
        ("ssh: connect to host 10.99.0.2 port 22: Connection refused", "down"),
        ("mount.nfs: Connection timed out", "down"),
        ("touch: cannot touch '/mnt/hvcert-try': Read-only file system", "refuses"),
        ("touch: cannot touch '/mnt/hvcert-try': No space left on device", "full"),
    ],
)
def test_a_target_that_takes_no_dump_says_why(said: str, word: str) -> None:
    wrong = read_answer(255, said)
    assert word in wrong
    answer = Measured(wrong, (Evidence(f"ssh (exit status 255: {said})", "", "guest"),))
    verdict = judge_target(answer, Measured(1 * GiB, ()))
    assert verdict.outcome is Outcome.FAIL
    assert word in verdict.because


def test_other_trouble_is_not_the_targets() -> None:
    assert read_answer(0, "Warning: Permanently added") == ""
    with pytest.raises(EvidenceError):
        read_answer(255, "Host key verification failed.")


@pytest.mark.parametrize(("free", "outcome"), [(63 * MiB, Outcome.FAIL), (64 * MiB, Outcome.PASS)])
def test_a_target_without_room_is_full(free: Bytes, outcome: Outcome) -> None:
    answer = Measured("", (Evidence("ssh true", "", "guest"),))
    verdict = judge_target(answer, Measured(free, ()))
    assert verdict.outcome is outcome
    assert ("full" in verdict.because) is (outcome is Outcome.FAIL)


def test_room_is_blocks_times_their_size() -> None:
    assert room("/srv").parse("1000 4096\n") == Bytes(4096000)
    with pytest.raises(EvidenceError):
        room("/srv").parse("")
