from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.checks import framebuffer
from harness.checks.framebuffer import FULL_HD, Connector, FrameBuffer, Offer, Size
from harness.checks.platform import HYPER_V, STAND_IN
from harness.checks.video_log import parse_video_log
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from tests.checks.conftest import Recording

FOLDER = "framebuffer"
MODE = "cat virtual_size bits_per_pixel stride"


def judged(recording: Recording) -> Verdict:
    given = recording.given
    offer = None
    if "single" in given:
        size = Size(given["offered_width"], given["offered_height"])
        kind = "Single" if given["single"] else "Default"
        offer = Measured(Offer(kind, size), (Evidence("Get-VMVideo", kind, "host h1"),))
    mode = None
    if MODE in recording.sections:
        mode = recording.measured(MODE, framebuffer.parse_mode)
    return framebuffer.judge_mode(
        FULL_HD,
        offer,
        recording.measured("cat /proc/fb", framebuffer.parse_frame_buffers),
        HYPER_V if given["hyper_v"] else STAND_IN,
        mode,
        recording.measured("dmesg", parse_video_log),
    )


def test_a_frame_buffer_is_judged_as_recorded(recording: Recording, outcome: str) -> None:
    if outcome == "error":
        with pytest.raises(EvidenceError):
            judged(recording)
        return
    verdict = judged(recording)
    assert verdict.outcome.value == outcome, verdict.because
    assert len(verdict.evidence) >= 2


def test_a_driver_that_cannot_do_better_on_this_host_is_told_apart() -> None:
    fb = "0 hyperv_drmdrmfb\n"
    buffers = Measured(framebuffer.parse_frame_buffers(fb), (Evidence("cat /proc/fb", fb),))
    mode = Measured(framebuffer.parse_mode("1600,1200\n32\n6400\n"), (Evidence("cat", "x"),))
    text = "[    9.0] hyperv_drm 5620e0c7: [drm] Synthvid Version major 3, minor 2\n"
    log = Measured(parse_video_log(text), (Evidence("dmesg", text),))
    verdict = framebuffer.judge_mode(FULL_HD, None, buffers, HYPER_V, mode, log)
    assert "this driver cannot do 1920x1080 on this host" in verdict.because


def test_each_kind_of_driver_has_its_own_option() -> None:
    connectors = framebuffer.parse_connectors(
        "/sys/class/drm/card0-Virtual-1/modes:1024x768\n/sys/class/drm/card0-Virtual-1/modes:640x480\n"
    )
    assert connectors == (Connector("Virtual-1", ("1024x768", "640x480")),)
    old, new = FrameBuffer(0, "hyperv_fb"), FrameBuffer(0, "hyperv_drmdrmfb")
    assert framebuffer.video_option(old, (), FULL_HD) == "video=hyperv_fb:1920x1080"
    assert framebuffer.video_option(new, connectors, FULL_HD) == "video=Virtual-1:1920x1080"
    with pytest.raises(EvidenceError, match="connector"):
        framebuffer.video_option(new, (), FULL_HD)


MODE_2560 = "2560,1440\n32\n10240\n"


@pytest.mark.parametrize(
    ("fb", "mode"), [("0 hyperv_drmdrmfb\n", ""), ("0 vga16\n1 efifb\n", MODE_2560), ("", "")]
)
def test_a_buffer_without_a_mode_and_a_mode_without_a_buffer_fail(fb: str, mode: str) -> None:
    buffers = Measured(framebuffer.parse_frame_buffers(fb), (Evidence("cat /proc/fb", fb),))
    seen = Measured(framebuffer.parse_mode(mode), (Evidence("cat", mode),)) if mode else None
    log = Measured(parse_video_log(""), (Evidence("dmesg", ""),))
    verdict = framebuffer.judge_mode(FULL_HD, None, buffers, HYPER_V, seen, log)
    names = ", ".join(line[2:] for line in fb.splitlines()) or "none at all"
    assert verdict.outcome is Outcome.FAIL
    assert verdict.because.endswith(f"(hyperv_drm or hyperv_fb): there is {names}")


def test_numbers_and_stride_are_read() -> None:
    assert framebuffer.parse_frame_buffers("0 vga16\n1 efifb\n") == (
        FrameBuffer(0, "vga16"),
        FrameBuffer(1, "efifb"),
    )
    assert framebuffer.parse_mode(MODE_2560) == framebuffer.Mode(Size(2560, 1440), 32, 10240)
