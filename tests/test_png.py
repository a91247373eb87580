"""PNG files, looked at taken apart by hand."""

from __future__ import annotations

import struct
import zlib

import pytest

from harness.png import SIGNATURE, png


def test_a_picture_holds_its_size_and_its_rows() -> None:
    rgb = bytes(range(18))
    data = png(3, 2, rgb)
    assert data.startswith(SIGNATURE)
    assert struct.unpack(">II", data[16:24]) == (3, 2)
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    lines = zlib.decompress(data[start : start + length])
    assert lines == b"\0" + rgb[:9] + b"\0" + rgb[9:]
    assert data[start + length : start + length + 4] == struct.pack(
        ">I", zlib.crc32(data[start - 4 : start + length])
    )


@pytest.mark.parametrize("size", [(3, 3), (0, 0)])
def test_bytes_that_do_not_fill_the_picture_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="are not 18 bytes" if size[0] else "are not 0 bytes"):
        png(*size, bytes(18 if size[0] else 0))
