"""Frame buffer: the guest shows what was asked for, the host sees it, and one pointer moves."""

from __future__ import annotations

import pytest

from harness.bench import Bench, Certify
from harness.checks.framebuffer import FULL_HD
from harness.display import Display

pytestmark = pytest.mark.feature("Frame buffer")


@pytest.mark.case("FB-01", "FB-02", "FB-03", "FB-04")
def test_the_guest_shows_a_full_hd_picture_that_the_host_sees(
    bench: Bench, certify: Certify
) -> None:
    with Display(bench, FULL_HD) as screen:
        mode = screen.judge_mode()
        certify(mode, case="FB-01")
        if screen.buffer is None:  # there is nothing to draw on and no size to point in
            for case in ("FB-02", "FB-03", "FB-04"):
                certify(mode, case=case)
            return
        certify(screen.judge_picture(), case="FB-02")
        certify(screen.judge_pointer(), case="FB-03")
        certify(screen.report_redraw(), case="FB-04")
