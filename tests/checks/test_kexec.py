"""kexec is proved by a nonce, never by a new boot alone."""

from __future__ import annotations

import pytest

from harness.checks.kexec import judge_kexec, judge_loaded, with_nonce
from harness.evidence import Evidence, Measured
from harness.verdict import Outcome

LINE = "BOOT_IMAGE=/boot/vmlinuz-6.1 root=LABEL=root ro quiet"


def read(text: str) -> Measured[str]:
    return Measured(text, (Evidence("cat", text, "guest"),))


def test_the_next_kernels_command_line_is_the_guests_own_with_the_nonce() -> None:
    line = with_nonce(LINE, "abc")
    assert line == "root=LABEL=root ro quiet hvcert_nonce=abc"
    assert with_nonce(line, "def") == "root=LABEL=root ro quiet hvcert_nonce=def"


@pytest.mark.parametrize(
    ("boot", "line", "outcome"),
    [
        ("new", "root=x hvcert_nonce=abc", Outcome.PASS),
        ("new", "BOOT_IMAGE=/boot/vmlinuz root=x", Outcome.FAIL),
        ("new", "root=x hvcert_nonce=abcd", Outcome.FAIL),
        ("old", "root=x hvcert_nonce=abc", Outcome.FAIL),
        (None, "root=x hvcert_nonce=abc", Outcome.FAIL),
    ],
)
def test_a_boot_is_by_kexec_when_it_is_new_and_has_the_nonce(
    boot: str | None, line: str, outcome: Outcome
) -> None:
    after = None if boot is None else read(boot)
    assert judge_kexec("old", after, read(line), "abc").outcome is outcome


@pytest.mark.parametrize(("loaded", "outcome"), [(1, Outcome.PASS), (0, Outcome.FAIL)])
def test_a_kernel_that_was_not_loaded_fails(loaded: int, outcome: Outcome) -> None:
    tried = (Evidence("kexec -l", "", "guest"),)
    assert judge_loaded(Measured(loaded, ()), tried).outcome is outcome
