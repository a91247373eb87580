"""FB-04: how fast a full screen is redrawn. Reported, not judged: there is no bound for it."""

from __future__ import annotations

import re
from statistics import median

from harness.checks.framebuffer import FrameBuffer, Mode
from harness.errors import EvidenceError
from harness.evidence import Measured
from harness.verdict import Outcome, Verdict


def parse_seconds(text: str) -> float:
    """Read what dd says: ``8294400 bytes (8.3 MB, 7.9 MiB) copied, 0.0123 s, 674 MB/s``."""
    found = re.search(r"copied, ([0-9.]+(?:e-?\d+)?) s", text)
    if not found or not float(found[1]):
        raise EvidenceError("dd", "seconds that it took", text)
    return float(found[1])


def report_redraw(
    buffer: FrameBuffer,
    mode: Measured[Mode],
    seconds: tuple[Measured[float], ...],
    boot: Measured[str],
) -> Verdict:
    """Report FB-04: frames a second of the synthetic driver; ``boot`` is the boot frame buffer.

    The verdict is a pass whatever the figure; the sentence says so.
    """
    if not seconds:
        raise EvidenceError("redraw", "full frame that was written", "")
    rate = 1 / median(taken.value for taken in seconds)
    before = f"the boot frame buffer ({boot.value}) was not timed: {buffer.driver} replaced it"
    if not boot.value:
        before = "this guest booted on a text console, with no boot frame buffer to compare"
    because = (
        f"reported, not judged: {buffer.driver} takes {rate:.1f} full frames of"
        f" {mode.value.size} a second (median of {len(seconds)}); {before}"
    )
    evidence = tuple(e for taken in seconds for e in taken.evidence)
    return Verdict(Outcome.PASS, because, (*evidence, *mode.evidence, *boot.evidence))


def parse_boot_buffer(text: str) -> str:
    """Read whose frame buffer came before the driver's: ``fb0: EFI VGA frame buffer device``.

    "" where the log names none.
    """
    names = r"EFI VGA|VESA VGA|simpledrmdrmfb|simple|ofdrmdrmfb"
    found = re.search(rf"fb0: ({names}) frame buffer device", text)
    return found[1] if found else ""
