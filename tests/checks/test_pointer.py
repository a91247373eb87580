from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.checks import pointer
from harness.checks.framebuffer import Size
from harness.checks.platform import HYPER_V, STAND_IN
from harness.checks.sysfs import parse_drivers
from harness.errors import EvidenceError
from harness.evidence import Measured
from harness.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from tests.checks.conftest import Recording

FOLDER = "pointer"
RECORDED = Path(__file__).parent.parent / "recorded"
SIZE = Size(1920, 1080)
NONCE = "0badcafe"
ASKED = pointer.points_for(NONCE, SIZE)


def judged(recording: Recording, nonce: str = NONCE) -> Verdict:
    devices = recording.measured("cat /proc/bus/input/devices", pointer.parse_devices)
    nothing = Measured(frozenset[str](), devices.evidence)
    drivers = {
        device.sysfs: recording.measured(f"drivers {device.event}", parse_drivers)
        if f"drivers {device.event}" in recording.sections
        else nothing
        for device in devices.value
    }
    heard = {
        name.removeprefix("events "): recording.measured(name, pointer.parse_events)
        for name in recording.sections
        if name.startswith("events ")
    }
    platform = HYPER_V if recording.given["hyper_v"] else STAND_IN
    asked = pointer.points_for(nonce, SIZE)
    return pointer.judge_pointer(devices, drivers, platform, SIZE, asked, heard)


def test_a_pointer_is_judged_as_recorded(recording: Recording, outcome: str) -> None:
    if outcome == "error":
        with pytest.raises(EvidenceError):
            judged(recording)
        return
    verdict = judged(recording)
    assert verdict.outcome.value == outcome, verdict.because
    if verdict.outcome is Outcome.PASS:
        assert "PS/2 Generic Explorer Mouse is bound as well" in verdict.because
        assert pointer.HIDING in verdict.because


def test_a_real_pointer_went_where_it_was_sent_and_not_where_another_nonce_points(
    read_recording: Callable[[Path], Recording],
) -> None:
    (path,) = (RECORDED / "pointer" / "real").glob("*.txt")
    recorded, nonce = read_recording(path), path.name.split(".")[0].rpartition("-")[2]
    assert judged(recorded, nonce).outcome is Outcome.PASS
    assert judged(recorded).outcome is Outcome.FAIL


def test_the_places_lie_on_the_display_and_follow_from_the_nonce() -> None:
    assert len(set(ASKED)) == len(ASKED) == 5
    assert all(0 <= x < SIZE.width and 0 <= y < SIZE.height for x, y in ASKED)
    assert pointer.points_for("other", SIZE) != ASKED


def test_an_event_that_is_cut_off_is_an_error() -> None:
    with pytest.raises(EvidenceError, match="24 bytes"):
        pointer.parse_events(" 00 01 02\n")
    assert pointer.parse_events("") == ()


def test_axes_beyond_the_first_64_are_no_pointer() -> None:
    (device,) = pointer.parse_devices(
        'N: Name="x"\nS: Sysfs=/devices/a\nH: Handlers=event7 \nB: ABS=3 0\n'
    )
    assert not device.points
    assert device.event == "event7"
