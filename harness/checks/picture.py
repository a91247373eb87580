"""FB-02: what the guest draws is what the host sees.

A grid of colours that follow from a nonce is drawn to the frame buffer; the host's thumbnail of the
VM's screen (RGB565) must show them. Each cell is judged at its centre, so scaling does not matter.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.framebuffer import Mode
from harness.errors import EvidenceError
from harness.evidence import Measured
from harness.verdict import Verdict, all_of, pass_if

COLUMNS, ROWS = 16, 9
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture of two bytes a pixel, low byte first: 5 bits red, 6 green, 5 blue."""

    width: int
    height: int
    data: bytes

    def __post_init__(self) -> None:
        """Refuse a picture that is not whole: EvidenceError."""
        if not self.width or len(self.data) != self.width * self.height * 2:
            wanted = f"picture of {self.width} x {self.height} pixels of 2 bytes"
            raise EvidenceError("thumbnail", f"{wanted} ({len(self.data)} bytes came)", "")

    def pixel(self, x: int, y: int) -> Colour:
        """Return a pixel's red, green and blue in 5, 6 and 5 bits."""
        at = (y * self.width + x) * 2
        value = int.from_bytes(self.data[at : at + 2], "little")
        return value >> 11, value >> 5 & 0x3F, value & 0x1F

    def rgb(self) -> bytes:
        """Return the picture in three bytes a pixel."""
        made = bytearray()
        for at in range(0, len(self.data), 2):
            value = self.data[at] | self.data[at + 1] << 8
            red, green, blue = value >> 11, value >> 5 & 0x3F, value & 0x1F
            made += bytes((red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2))
        return bytes(made)


@dataclass(frozen=True, slots=True)
class Shown:
    """What was drawn (the nonce tells) and what the host's picture then showed."""

    nonce: str
    picture: Measured[Thumbnail]


def colour(nonce: str, column: int, row: int) -> Colour:
    """Return the colour of a cell, 8 bits each of red, green and blue."""
    digest = hashlib.sha256(f"{nonce} {column} {row}".encode()).digest()
    return digest[0], digest[1], digest[2]


def frame(nonce: str, mode: Mode) -> bytes:
    """Return the grid as the frame buffer holds it: 32 (XRGB) or 16 (RGB565) bits a pixel."""
    if mode.depth not in (16, 32):
        raise EvidenceError("bits_per_pixel", "depth of 16 or 32", str(mode.depth))
    width, height = mode.size.width, mode.size.height
    lines = [_line(nonce, row, mode).ljust(mode.stride, b"\0") for row in range(ROWS)]
    return b"".join(lines[y * ROWS // height] for y in range(height)) if width else b""


def _line(nonce: str, row: int, mode: Mode) -> bytes:
    pixels = [_raw(colour(nonce, column, row), mode.depth) for column in range(COLUMNS)]
    width = mode.size.width
    return b"".join(pixels[x * COLUMNS // width] for x in range(width))


def _raw(wanted: Colour, depth: int) -> bytes:
    red, green, blue = wanted
    if depth == 32:
        return bytes((blue, green, red, 0))
    return (red >> 3 << 11 | green >> 2 << 5 | blue >> 3).to_bytes(2, "little")


def right_cells(picture: Thumbnail, nonce: str) -> int:
    """Count the cells whose centre is within one RGB565 step of the colour drawn."""
    return sum(_is_right(picture, nonce, c, r) for c in range(COLUMNS) for r in range(ROWS))


def _is_right(picture: Thumbnail, nonce: str, column: int, row: int) -> bool:
    x = (2 * column + 1) * picture.width // (2 * COLUMNS)
    y = (2 * row + 1) * picture.height // (2 * ROWS)
    red, green, blue = colour(nonce, column, row)
    drawn = (red >> 3, green >> 2, blue >> 3)
    steps = zip(picture.pixel(x, y), drawn, strict=True)
    return all(abs(seen - wanted) <= bounds.FB_COLOUR_STEPS for seen, wanted in steps)


def matches(picture: Thumbnail, nonce: str) -> bool:
    """Tell whether enough cells are right."""
    return right_cells(picture, nonce) >= bounds.FB_CELLS_RIGHT * COLUMNS * ROWS


def judge_pictures(first: Shown, second: Shown) -> Verdict:
    """Judge FB-02 by two drawings with different nonces.

    The first picture is also held against the second nonce, which it must fail: a judge that any
    picture pleases would prove nothing. Raises EvidenceError where the nonces are the same.
    """
    if first.nonce == second.nonce:
        raise EvidenceError("drawing", "second nonce that differs", first.nonce)
    total = COLUMNS * ROWS
    counts = [right_cells(shown.picture.value, shown.nonce) for shown in (first, second)]
    crossed = right_cells(first.picture.value, second.nonce)
    other = matches(first.picture.value, second.nonce)
    return all_of(
        f"the host's pictures show {counts[0]} and {counts[1]} of {total} cells as drawn;"
        f" the first shows {crossed} of the second's",
        *(
            _judge_picture(shown, count, name)
            for shown, count, name in zip((first, second), counts, ("first", "second"), strict=True)
        ),
        pass_if(
            not other,
            f"the first picture also shows {crossed} of {total} cells of the second drawing",
            first.picture.evidence,
        ),
    )


def _judge_picture(shown: Shown, count: int, name: str) -> Verdict:
    total = COLUMNS * ROWS
    needed = f"{bounds.FB_CELLS_RIGHT:.0%} are needed"
    because = f"the host's {name} picture shows {count} of {total} cells as drawn; {needed}"
    return pass_if(matches(shown.picture.value, shown.nonce), because, shown.picture.evidence)
