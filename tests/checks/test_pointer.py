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


def test_a_text_without_a_device_is_an_error() -> None:
    with pytest.raises(EvidenceError) as told:
        pointer.parse_devices("cat: no such file\n")
    assert str(told.value) == (
        "/proc/bus/input/devices: no input device in 18 characters of output"
    )


@pytest.mark.parametrize(
    ("bitmap", "axes"),
    [("B: ABS=3\n", 3), ("B: ABS=1000000 1f\n", 0x1F), ("B: ABS=a0 b3\n", 0xB3), ("", 0)],
)
def test_axes_are_read_as_the_lowest_hexadecimal_word(bitmap: str, axes: int) -> None:
    (device,) = pointer.parse_devices(
        f'N: Name="x"\nS: Sysfs=/devices/a\nH: Handlers=event7 \n{bitmap}'
    )
    assert device.axes == axes


@pytest.mark.parametrize("bytes_of_text", [16, 32, 36, 23])
def test_events_are_24_bytes_each(bytes_of_text: int) -> None:
    with pytest.raises(EvidenceError, match="24 bytes"):
        pointer.parse_events(" 00" * bytes_of_text)
    assert pointer.parse_events(" 00" * 48) == (pointer.Event(0, 0, 0),) * 2


def test_what_is_no_hexadecimal_is_no_event() -> None:
    with pytest.raises(EvidenceError, match="24 bytes"):
        pointer.parse_events(" zz" * 24)


SYN = pointer.Event(pointer.EV_SYN, 0, 0)


def moved(axis: int, value: int) -> pointer.Event:
    return pointer.Event(pointer.EV_ABS, axis, value)


def test_a_place_is_told_once_after_each_report_and_an_axis_not_told_yet_is_minus_one() -> None:
    x, y = pointer.ABS_X, pointer.ABS_Y
    assert list(pointer.places((SYN, moved(x, 5), SYN, SYN, moved(y, 7), SYN))) == [
        (5, -1),
        (5, 7),
    ]
    assert list(pointer.places((moved(y, 7), SYN, moved(x, 1), moved(y, 2)))) == [(-1, 7)]
    assert list(pointer.places((moved(x, 1), moved(y, 2), SYN))) == [(1, 2)]


def test_the_places_of_a_nonce_stay_the_same_over_releases() -> None:
    """Else a replay would hold a recording against other pixels than it was made with."""
    assert ASKED == ((1, 679), (1185, 277), (449, 955), (1634, 554), (898, 152))
    huge = Size(9973 * 7919, 9973 * 7919)
    second, third = (48773120, 20305028), (18506703, 69900757)
    assert pointer.points_for(NONCE, huge)[1:3] == (second, third)


@pytest.mark.parametrize(
    ("x", "pixel", "there"),
    [(0, 0, True), (42, 0, True), (43, 0, False), (32725, 1919, False), (32726, 1919, True)],
)
def test_a_place_is_right_within_two_pixels_of_the_middle_of_the_one_asked_for(
    x: int,
    pixel: int,
    there: bool,  # noqa: FBT001
) -> None:
    """32,768 steps over 1,920 pixels, 17.07 a pixel: the middle of pixel 0 is at 8.5."""
    assert pointer.is_at((x, 0), (pixel, 0), SIZE) is there


@pytest.mark.parametrize(
    ("at", "there"), [(16, False), (17, True), (21, True), (25, True), (26, False)]
)
def test_two_pixels_are_within_the_bound(at: int, there: bool) -> None:  # noqa: FBT001
    """Two steps a pixel: the middle of pixel 10 is at 21."""
    assert pointer.is_at((at, 21), (10, 10), Size(16384, 16384)) is there


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((), ""),
        ((("Keyboard", "/devices/serio0/input1"),), ""),
        ((("PS/2 Mouse", "/devices/x"),), " (noted: PS/2 Mouse is bound as well)"),
        ((("Mouse", "/devices/serio1/input2"),), " (noted: Mouse is bound as well)"),
        (
            (("PS/2 A", "/devices/serio1/a"), ("B", "/i8042/serio1/b")),
            " (noted: PS/2 A, B is bound as well)",
        ),
    ],
)
def test_mice_of_the_ps2_port_are_noted(others: tuple[tuple[str, str], ...], said: str) -> None:
    given = [pointer.InputDevice(name, sysfs, "event9", 0) for name, sysfs in others]
    assert pointer._noted(given) == said  # noqa: SLF001  # a part of the sentence
