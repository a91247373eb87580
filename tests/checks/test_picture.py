"""Drawn grids and the host's pictures of them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from harness.checks import picture
from harness.checks.framebuffer import Mode, Size
from harness.checks.picture import COLUMNS, ROWS, Shown, Thumbnail
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.verdict import Outcome

RECORDED = Path(__file__).parent.parent / "recorded" / "picture"
MODE = Mode(Size(320, 180), 32, 1280)


def photographed(frame: bytes, mode: Mode = MODE) -> Thumbnail:
    """Take the picture that a host without any scaling would give of a 32-bit frame."""
    made = bytearray()
    for y in range(mode.size.height):
        for x in range(mode.size.width):
            at = y * mode.stride + x * 4
            blue, green, red = frame[at : at + 3]
            made += (red >> 3 << 11 | green >> 2 << 5 | blue >> 3).to_bytes(2, "little")
    return Thumbnail(mode.size.width, mode.size.height, bytes(made))


def shown(nonce: str, seen: Thumbnail) -> Shown:
    return Shown(nonce, Measured(seen, (Evidence("thumbnail", nonce, "host h1"),)))


def painted_over(seen: Thumbnail, cells: int) -> Thumbnail:
    """Blacken the first cells of the top row."""
    width = cells * seen.width // COLUMNS * 2
    data = bytearray(seen.data)
    for y in range(seen.height // ROWS):
        data[y * seen.width * 2 : y * seen.width * 2 + width] = bytes(width)
    return Thumbnail(seen.width, seen.height, bytes(data))


FIRST, SECOND = (photographed(picture.frame(nonce, MODE)) for nonce in ("a1", "b2"))


def test_a_picture_of_what_was_drawn_passes_and_fails_against_another_nonce() -> None:
    verdict = picture.judge_pictures(shown("a1", FIRST), shown("b2", SECOND))
    assert verdict.outcome is Outcome.PASS
    assert "show 144 and 144 of 144 cells as drawn; the first shows 0 of" in verdict.because


def test_real_pictures_pass_for_their_own_drawings_and_not_for_each_others() -> None:
    taken = {
        path.name.split(".")[0].rpartition("-")[2]: Thumbnail(
            640, 360, gzip.decompress(path.read_bytes())
        )
        for path in sorted(RECORDED.glob("*.rgb565.gz"))
    }
    (one, two), (first, second) = taken, taken.values()
    assert picture.judge_pictures(shown(one, first), shown(two, second)).outcome is Outcome.PASS
    assert picture.judge_pictures(shown(one, second), shown(two, first)).outcome is Outcome.FAIL


def test_one_cell_may_be_hidden_and_two_may_not() -> None:
    one = picture.judge_pictures(shown("a1", painted_over(FIRST, 1)), shown("b2", SECOND))
    assert one.outcome is Outcome.PASS
    two = picture.judge_pictures(shown("a1", painted_over(FIRST, 2)), shown("b2", SECOND))
    assert (two.outcome, "142 of 144" in two.because) == (Outcome.FAIL, True)


def test_a_black_picture_fails() -> None:
    black = Thumbnail(320, 180, bytes(320 * 180 * 2))
    verdict = picture.judge_pictures(shown("a1", black), shown("b2", SECOND))
    assert verdict.outcome is Outcome.FAIL
    assert "first picture shows" in verdict.because


def test_the_picture_of_the_drawing_before_fails() -> None:
    verdict = picture.judge_pictures(shown("a1", FIRST), shown("b2", FIRST))
    assert verdict.outcome is Outcome.FAIL
    assert "second picture shows 0 of 144" in verdict.because


@pytest.mark.parametrize(("steps", "outcome"), [(1, Outcome.PASS), (2, Outcome.FAIL)])
def test_a_channel_may_be_one_step_off_and_not_two(steps: int, outcome: Outcome) -> None:
    data = bytearray()
    for at in range(0, len(FIRST.data), 2):
        value = int.from_bytes(FIRST.data[at : at + 2], "little")
        blue = value & 0x1F
        moved = blue - steps if blue >= steps else blue + steps
        data += (value & ~0x1F | moved).to_bytes(2, "little")
    off = Thumbnail(320, 180, bytes(data))
    verdict = picture.judge_pictures(shown("a1", off), shown("b2", SECOND))
    assert verdict.outcome is outcome


def test_the_same_nonce_twice_proves_nothing() -> None:
    with pytest.raises(EvidenceError, match="nonce"):
        picture.judge_pictures(shown("a1", FIRST), shown("a1", FIRST))


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(9)])
def test_a_picture_that_is_not_whole_is_an_error(data: bytes) -> None:
    with pytest.raises(EvidenceError, match="2 x 2 pixels"):
        Thumbnail(2, 2, data)


def test_a_frame_fills_every_line_to_its_stride() -> None:
    wide = Mode(Size(320, 180), 32, 2048)
    assert len(picture.frame("a1", wide)) == 180 * 2048
    small = Mode(Size(320, 180), 16, 640)
    assert picture.frame("a1", small) == FIRST.data
    with pytest.raises(EvidenceError, match="depth"):
        picture.frame("a1", Mode(Size(320, 180), 8, 320))


def test_five_and_six_bits_become_eight_for_the_eye() -> None:
    assert Thumbnail(1, 1, b"\xff\xff").rgb() == b"\xff\xff\xff"
    assert Thumbnail(1, 1, b"\x00\xf8").rgb() == b"\xff\x00\x00"
    mixed = (0b10011 << 11 | 0b101100 << 5 | 0b00110).to_bytes(2, "little")
    assert Thumbnail(2, 1, b"\x1f\x00" + mixed).rgb() == bytes(
        (0, 0, 0xFF, 0b10011100, 0b10110010, 0b00110001)
    )


def test_a_frame_is_the_grid_in_lines_that_are_filled_up_with_nothing_at_their_ends() -> None:
    mode = Mode(Size(COLUMNS, ROWS), 32, COLUMNS * 4 + 8)
    lines = [picture.frame("n", mode)[at : at + mode.stride] for at in range(0, 9 * 72, 72)]
    for row, line in enumerate(lines):
        cells = [picture.colour("n", column, row) for column in range(COLUMNS)]
        drawn = b"".join(bytes((blue, green, red, 0)) for red, green, blue in cells)
        assert line == drawn + bytes(8)


def test_a_mode_without_pixels_has_no_frame() -> None:
    assert picture.frame("n", Mode(Size(0, 180), 32, 64)) == b""


def test_sixteen_bits_a_pixel_are_five_six_and_five() -> None:
    mode = Mode(Size(COLUMNS, ROWS), 16, COLUMNS * 2)
    red, green, blue = picture.colour("n", 0, 0)
    value = int.from_bytes(picture.frame("n", mode)[:2], "little")
    assert value == (red >> 3) << 11 | (green >> 2) << 5 | blue >> 3
