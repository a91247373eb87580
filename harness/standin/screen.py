"""The display and the pointer of a running machine, through QEMU's control channel.

QEMU writes its picture as PPM: ``P6``, width, height and the largest value (255), each ended by
white space, then three bytes a pixel (netpbm's ppm(5)).
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from harness.standin.machines import MachineError, Picture
from harness.standin.qmp import Qmp

LARGEST = 0x7FFF
"""The far end of both axes of QEMU's absolute pointers (INPUT_EVENT_ABS_MAX)."""

PATIENCE = timedelta(seconds=60)
_HEAD = re.compile(rb"P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s")


def picture(qmp: Qmp, file: Path) -> Picture:
    """Return what the display shows; ``file`` is where QEMU leaves it for a moment."""
    try:
        qmp.execute("screendump", {"filename": str(file)}, within=PATIENCE)
        return read_ppm(file.read_bytes())
    except OSError as error:
        raise MachineError(f"{file}: the picture of the display: {error.strerror}") from error
    finally:
        file.unlink(missing_ok=True)


def read_ppm(data: bytes) -> Picture:
    """Read a PPM picture; MachineError for anything else, or one that is cut off."""
    head = _HEAD.match(data)
    if not head:
        raise MachineError("QEMU's picture of the display is no PPM file")
    width, height = int(head[1]), int(head[2])
    rgb = data[head.end() :]
    if len(rgb) != width * height * 3:
        raise MachineError(f"QEMU's picture of {width}x{height} has {len(rgb)} bytes")
    return Picture(width, height, rgb)


def rgb565(shown: Picture, width: int, height: int) -> bytes:
    """Return the picture at another size, two bytes a pixel (5-6-5 bits), low byte first.

    Each pixel is the one that lies at its middle in the original.
    """
    columns = [(2 * x + 1) * shown.width // (2 * width) * 3 for x in range(width)]
    made = bytearray()
    for y in range(height):
        line = (2 * y + 1) * shown.height // (2 * height) * shown.width * 3
        row = shown.rgb[line : line + shown.width * 3]
        for x in columns:
            value = row[x] >> 3 << 11 | row[x + 1] >> 2 << 5 | row[x + 2] >> 3
            made += value.to_bytes(2, "little")
    return bytes(made)


def point(qmp: Qmp, shown: Picture, x: int, y: int) -> None:
    """Move the absolute pointer to the middle of a pixel of the display."""
    places = (("x", x, shown.width), ("y", y, shown.height))
    events = [
        {
            "type": "abs",
            "data": {"axis": axis, "value": (2 * at + 1) * (LARGEST + 1) // (2 * size)},
        }
        for axis, at, size in places
    ]
    qmp.execute("input-send-event", {"events": events})
