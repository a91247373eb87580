"""FB-03: one absolute pointing device of the hypervisor, and it is the one that moves.

Sources: /proc/bus/input/devices; ``struct input_event`` of include/uapi/linux/input.h (24 bytes on
64-bit kernels), event codes of input-event-codes.h.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.framebuffer import Size
from harness.checks.platform import Platform
from harness.errors import EvidenceError
from harness.evidence import Measured, Probe
from harness.verdict import Verdict, all_of, pass_if

EV_SYN, EV_ABS, ABS_X, ABS_Y = 0, 3, 0, 1
XY = 0b11
EVENT = struct.Struct("<qqHHi")
HIDING = "whether the driver hides the host's own pointer cannot be seen from outside"
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class InputDevice:
    """One input device; ``event`` is its node's name (event3), "" without evdev.

    ``axes`` are the bits of its absolute axes.
    """

    name: str
    sysfs: str
    event: str
    axes: int

    @property
    def points(self) -> bool:
        """Whether it tells absolute places: it has both axes."""
        return self.axes & XY == XY


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a device."""

    kind: int
    code: int
    value: int


def parse_devices(text: str) -> tuple[InputDevice, ...]:
    """Read blocks of ``N: Name="…"``, ``S: Sysfs=…``, ``H: Handlers=…``, ``B: ABS=3``."""
    devices = tuple(_device(block) for block in text.split("\n\n") if "N: Name=" in block)
    if not devices:
        raise EvidenceError("/proc/bus/input/devices", "input device", text)
    return devices


def _device(block: str) -> InputDevice:
    def field(pattern: str) -> str:
        found = re.search(pattern, block, re.MULTILINE)
        return found[1] if found else ""

    # bitmaps are words of 64 bits, the lowest one last: "B: ABS=100000000 3"
    axes = field(r"^B: ABS=(?:[0-9a-f]+ )*([0-9a-f]+)\s*$")
    event = field(r"^H: Handlers=.*?\b(event\d+)\b")
    name, sysfs = field(r'^N: Name="(.*)"'), field(r"^S: Sysfs=(\S+)")
    return InputDevice(name, sysfs, event, int(axes or "0", 16))


DEVICES = Probe(("cat", "/proc/bus/input/devices"), parse_devices)


def parse_events(text: str) -> tuple[Event, ...]:
    """Read ``od -An -v -tx1``: two hex digits a byte, 24 bytes an event."""
    digits = "".join(text.split())
    if re.search(r"[^0-9a-f]", digits) or len(digits) % (2 * EVENT.size):
        raise EvidenceError("input events", f"events of {EVENT.size} bytes", text)
    rows = EVENT.iter_unpack(bytes.fromhex(digits))
    return tuple(Event(kind, code, value) for _, _, kind, code, value in rows)


def places(events: Iterable[Event]) -> Iterator[Place]:
    """Yield the place after each report in which an axis changed; an axis not told yet is -1."""
    at, changed = [-1, -1], False
    for event in events:
        if event.kind == EV_ABS and event.code in (ABS_X, ABS_Y):
            at[event.code], changed = event.value, True
        elif event.kind == EV_SYN and changed:
            changed = False
            yield at[0], at[1]


def points_for(nonce: str, size: Size) -> tuple[Place, ...]:
    """Return the pixels to point at: they follow from the nonce and lie all over the display."""
    number = int.from_bytes(nonce.encode(), "big")
    found = []
    for index in range(bounds.POINTER_MOVES):
        across = (number % 9973 + index * 6151) % 9973 / 9973
        down = (number % 7919 + index * 4973) % 7919 / 7919
        found.append((int(across * size.width), int(down * size.height)))
    return tuple(found)


def is_at(place: Place, pixel: Place, size: Size) -> bool:
    """Tell whether a place on the device's axes is a pixel of the display, within the bound."""
    low, high = bounds.POINTER_RANGE
    spread = zip(place, pixel, (size.width, size.height), strict=True)
    return all(
        abs((at - low) * length / (high - low + 1) - (wanted + 0.5)) <= bounds.POINTER_PIXELS
        for at, wanted, length in spread
    )


def pointers(
    devices: Measured[tuple[InputDevice, ...]],
    drivers: Mapping[str, Measured[frozenset[str]]],
    platform: Platform,
) -> tuple[InputDevice, ...]:
    """Return the absolute pointing devices of the hypervisor; ``drivers`` are by sysfs path."""
    ours = frozenset(platform.pointer_drivers)
    return tuple(d for d in devices.value if d.points and drivers[d.sysfs].value & ours)


def judge_pointer(  # noqa: PLR0913, PLR0917  # one pointer's facts, told apart by type
    devices: Measured[tuple[InputDevice, ...]],
    drivers: Mapping[str, Measured[frozenset[str]]],
    platform: Platform,
    size: Size,
    asked: Sequence[Place],
    heard: Mapping[str, Measured[tuple[Event, ...]]],
) -> Verdict:
    """Judge FB-03. ``heard`` are the events of every device, by node, while the host pointed.

    ``asked`` are the pixels at which it pointed, in order. Raises EvidenceError where nobody
    listened to a device.
    """
    proof = devices.evidence + tuple(e for d in drivers.values() for e in d.evidence)
    found = pointers(devices, drivers, platform)
    if len(found) != 1:
        names = ", ".join(d.name for d in found) or "none"
        because = f"{len(found)} absolute pointing devices of the hypervisor, not one: {names}"
        return pass_if(False, because, proof)  # noqa: FBT003  # as pass_if has it
    silent = [d.name for d in devices.value if d.event and d.event not in heard]
    if silent or not found[0].event:
        raise EvidenceError("input events", f"recording of {silent or found[0].name}", "")
    others = [d for d in devices.value if d is not found[0] and d.event]
    return all_of(
        f"{found[0].name} is the one absolute pointer and went to all {len(asked)} places that the"
        f" host named, no other of {len(devices.value)} devices moved{_noted(others)}; {HIDING}",
        _judge_moves(found[0], size, asked, heard[found[0].event]),
        *(_judge_still(d, heard[d.event]) for d in others),
        pass_if(True, "devices", proof),  # noqa: FBT003  # ditto
    )


def _noted(others: Iterable[InputDevice]) -> str:
    mice = [d.name for d in others if "PS/2" in d.name or "/serio1/" in d.sysfs]
    return f" (noted: {', '.join(mice)} is bound as well)" if mice else ""


def _judge_moves(
    pointer: InputDevice, size: Size, asked: Sequence[Place], heard: Measured[tuple[Event, ...]]
) -> Verdict:
    """Find the places asked for one after the other; what comes between does not matter."""
    seen = list(places(heard.value))
    rest = iter(seen)
    reached = [any(is_at(place, pixel, size) for place in rest) for pixel in asked]
    missed = next((p for p, there in zip(asked, reached, strict=True) if not there), None)
    because = f"{pointer.name} did not go to pixel {missed} of {size}; it was at {seen[-3:]}"
    if not seen:
        because = f"{pointer.name} heard nothing of the {len(asked)} places that the host named"
    return pass_if(missed is None, because, heard.evidence)


def _judge_still(device: InputDevice, heard: Measured[tuple[Event, ...]]) -> Verdict:
    moved = [event for event in heard.value if event.kind != EV_SYN]
    because = f"{device.name} reported {len(moved)} events, too"
    return pass_if(not moved, because, heard.evidence)
