"""Writes a PNG picture: the few chunks that an RGB image needs (PNG specification, 2nd edition)."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
EIGHT_BITS, RGB = 8, 2


def png(width: int, height: int, rgb: bytes) -> bytes:
    """Return the file of a picture of three bytes a pixel, row after row."""
    if len(rgb) != width * height * 3 or not rgb:
        raise ValueError(f"{width} x {height} pixels are not {len(rgb)} bytes")
    rows = (rgb[at : at + width * 3] for at in range(0, len(rgb), width * 3))
    lines = b"".join(b"\0" + row for row in rows)  # filter type 0 before each
    header = struct.pack(">IIBBBBB", width, height, EIGHT_BITS, RGB, 0, 0, 0)
    return b"".join(
        (
            SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
