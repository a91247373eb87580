"""FB-04 is reported: its figures are read right, and nothing makes it fail."""

from __future__ import annotations

import pytest

from harness.checks import redraw
from harness.checks.framebuffer import FrameBuffer, Mode, Size
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.verdict import Outcome

DD = "7+1 records in\n7+1 records out\n8294400 bytes (8.3 MB, 7.9 MiB) copied, {} s, 674 MB/s\n"
MODE = Measured(Mode(Size(1920, 1080), 32, 7680), (Evidence("cat virtual_size", "1920,1080"),))
BUFFER = FrameBuffer(0, "hyperv_drmdrmfb")


def took(text: str) -> Measured[float]:
    said = DD.format(text)
    return Measured(redraw.parse_seconds(said), (Evidence("dd", said, "guest g1"),))


def test_the_median_of_the_frames_is_reported_and_said_to_be_no_judgement() -> None:
    boot = Measured(redraw.parse_boot_buffer("[ 0.9] fb0: EFI VGA frame buffer device\n"), ())
    frames = (took("0.02"), took("4"), took("0.05"))
    verdict = redraw.report_redraw(BUFFER, MODE, frames, boot)
    assert verdict.outcome is Outcome.PASS
    assert verdict.because.startswith("reported, not judged: hyperv_drm takes 20.0 full frames")
    assert "EFI VGA" in verdict.because


def test_a_guest_without_a_boot_frame_buffer_is_said_to_have_none() -> None:
    verdict = redraw.report_redraw(BUFFER, MODE, (took("0.5"),), Measured("", ()))
    assert "no boot frame buffer to compare" in verdict.because


@pytest.mark.parametrize("text", ["", "dd: failed to open '/dev/fb0'", DD.format("0")])
def test_a_frame_without_a_time_is_an_error(text: str) -> None:
    with pytest.raises(EvidenceError):
        redraw.parse_seconds(text)


def test_no_frame_at_all_is_an_error() -> None:
    with pytest.raises(EvidenceError):
        redraw.report_redraw(BUFFER, MODE, (), Measured("", ()))


@pytest.mark.parametrize("name", ["EFI VGA", "VESA VGA", "simpledrmdrmfb", "simple"])
def test_the_boot_frame_buffer_is_read_by_name(name: str) -> None:
    assert redraw.parse_boot_buffer(f"[ 0.9] fb0: {name} frame buffer device\n") == name


def test_a_log_without_a_boot_frame_buffer_names_none() -> None:
    assert redraw.parse_boot_buffer("[ 0.9] fb0: hyperv_fb frame buffer device\n") == ""
