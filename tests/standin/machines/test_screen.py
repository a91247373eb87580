"""Pictures of a display as QEMU writes them."""

from __future__ import annotations

import pytest

from harness.standin.machines import MachineError, Picture
from harness.standin.screen import read_ppm, rgb565

RED, GREEN, BLUE, WHITE = b"\xff\0\0", b"\0\xff\0", b"\0\0\xff", b"\xff\xff\xff"


def test_a_picture_is_read_row_after_row() -> None:
    data = b"P6\n2 2\n255\n" + RED + GREEN + BLUE + WHITE
    assert read_ppm(data) == Picture(2, 2, RED + GREEN + BLUE + WHITE)


@pytest.mark.parametrize(
    "data", [b"", b"P5\n1 1\n255\n\0", b"P6\n2 1\n255\n" + RED, b"P6\n1 1\n255\n" + RED + b"\0"]
)
def test_what_is_no_whole_picture_is_refused(data: bytes) -> None:
    with pytest.raises(MachineError):
        read_ppm(data)


def test_each_pixel_of_a_smaller_picture_is_the_one_at_its_middle() -> None:
    row = RED + RED + RED + BLUE + BLUE + BLUE
    assert rgb565(Picture(6, 3, row * 3), 2, 1) == b"\x00\xf8\x1f\x00"


def test_five_six_and_five_bits_are_kept() -> None:
    assert rgb565(Picture(1, 1, bytes((0x12, 0x34, 0x56))), 1, 1) == (
        (0x12 >> 3 << 11 | 0x34 >> 2 << 5 | 0x56 >> 3).to_bytes(2, "little")
    )
