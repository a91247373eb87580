"""FB-01: whose frame buffer the guest shows its console on, and in which mode.

Firmware's buffer (efifb, vesafb, simpledrm) is a frame buffer as well, so the driver's name counts
as much as the size. Sources: ``/proc/fb``, ``/sys/class/graphics``; drivers/video/fbdev/hyperv_fb.c
and drivers/gpu/drm/hyperv for what each can do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.platform import Platform
from harness.checks.video_log import VideoLog
from harness.errors import EvidenceError
from harness.evidence import Measured, Probe
from harness.verdict import Verdict, all_of, pass_if

DRM_SUFFIX = "drmfb"


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        """Return ``1920x1080``."""
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class FrameBuffer:
    """One line of /proc/fb: the number of its device and the name that its driver gave it."""

    number: int
    name: str

    @property
    def driver(self) -> str:
        """Return the driver; DRM's emulation of fbdev appends ``drmfb`` to its name."""
        return self.name.removesuffix(DRM_SUFFIX)


@dataclass(frozen=True, slots=True)
class Mode:
    """What the buffer is like; ``stride`` is bytes a line, ``depth`` bits a pixel."""

    size: Size
    depth: int
    stride: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What the host says that the VM's display offers; ``kind`` is a ResolutionType's name."""

    kind: str
    size: Size


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector of DRM, such as ``Virtual-1``, and the modes that it lists."""

    name: str
    modes: tuple[str, ...]


FULL_HD = Size(1920, 1080)


def parse_frame_buffers(text: str) -> tuple[FrameBuffer, ...]:
    """Read /proc/fb, e.g. ``0 bochs-drmdrmfb``; no line means that there is none."""
    found = re.findall(r"^(\d{1,2}) (\S.{0,60})$", text, re.MULTILINE)
    return tuple(FrameBuffer(int(number), name.strip()) for number, name in found)


def parse_mode(text: str) -> Mode:
    """Read virtual_size, bits_per_pixel and stride: ``1920,1080``, ``32``, ``7680``."""
    found = re.fullmatch(r"(\d{1,5}),(\d{1,5})\s+(\d{1,2})\s+(\d{1,6})\s*", text)
    if not found:
        raise EvidenceError("/sys/class/graphics", "virtual_size, bits_per_pixel and stride", text)
    width, height, depth, stride = map(int, found.groups())
    return Mode(Size(width, height), depth, stride)


def parse_connectors(text: str) -> tuple[Connector, ...]:
    """Read ``/sys/class/drm/card0-Virtual-1/modes:1920x1080``, one mode a line."""
    modes: dict[str, list[str]] = {}
    for name, mode in re.findall(r"^/\S{1,200}/card\d+-([\w-]+)/modes:(\S+)", text, re.MULTILINE):
        modes.setdefault(name, []).append(mode)
    return tuple(Connector(name, tuple(listed)) for name, listed in modes.items())


FRAME_BUFFERS = Probe(("cat", "/proc/fb"), parse_frame_buffers, fails_ok=True)
LISTED_MODES = ("find", "-L", "/sys/class/drm", "-maxdepth", "2", "-name", "modes")
CONNECTORS = Probe(
    (*LISTED_MODES, "-exec", "grep", "-H", "", "{}", "+"),
    parse_connectors,
    fails_ok=True,
)


def mode_of(buffer: FrameBuffer) -> Probe[Mode]:
    """Ask for a frame buffer's mode."""
    folder = f"/sys/class/graphics/fb{buffer.number}"
    names = ("virtual_size", "bits_per_pixel", "stride")
    return Probe(("cat", *(f"{folder}/{name}" for name in names)), parse_mode)


def synthetic(found: Measured[tuple[FrameBuffer, ...]], platform: Platform) -> FrameBuffer | None:
    """Return the frame buffer of the hypervisor's own driver, None where there is none."""
    ours = (b for b in found.value if b.driver in platform.framebuffer_drivers)
    return next(ours, None)


def video_option(buffer: FrameBuffer, connectors: tuple[Connector, ...], size: Size) -> str:
    """Return the kernel option that asks this driver for a resolution.

    hyperv_fb takes its own name (drivers/video/fbdev/hyperv_fb.c), DRM a connector's (modedb.rst).
    """
    if not buffer.name.endswith(DRM_SUFFIX):
        return f"video={buffer.driver}:{size}"
    if not connectors:
        raise EvidenceError("/sys/class/drm", "connector with modes", repr(buffer))
    return f"video={connectors[0].name}:{size}"


def judge_mode(  # noqa: PLR0913, PLR0917  # all that was seen of one display, told apart by type
    wanted: Size,
    offer: Measured[Offer] | None,
    found: Measured[tuple[FrameBuffer, ...]],
    platform: Platform,
    mode: Measured[Mode] | None,
    log: Measured[VideoLog],
) -> Verdict:
    """Judge FB-01. ``offer`` is what the host reads back, None where it cannot be set there.

    ``mode`` is that of the synthetic driver's buffer, None when there is no such buffer.
    """
    evidence = found.evidence + log.evidence
    buffer = synthetic(found, platform)
    if buffer is None or mode is None:
        names = ", ".join(b.name for b in found.value) or "none at all"
        expected = " or ".join(platform.framebuffer_drivers)
        because = f"no frame buffer of the synthetic driver ({expected}): there is {names}"
        return pass_if(False, because, evidence)  # noqa: FBT003  # as pass_if has it
    said = (
        f"{buffer.driver}{_protocol(log.value)} shows {mode.value.size} at {mode.value.depth} bits"
    )
    parts = [
        pass_if(mode.value.size == wanted, _why(said, wanted, buffer, log.value), mode.evidence),
        pass_if(mode.value.depth == bounds.FB_DEPTH, f"{said}, not {bounds.FB_DEPTH}", evidence),
    ]
    if offer is not None:
        parts.append(_judge_offer(wanted, offer))
    return all_of(said, *parts)


def _judge_offer(wanted: Size, offer: Measured[Offer]) -> Verdict:
    because = f"the host reads {offer.value.kind} {offer.value.size} back, not Single {wanted}"
    return pass_if(offer.value == Offer("Single", wanted), because, offer.evidence)


def _protocol(log: VideoLog) -> str:
    return f" (synthvid {log.synthvid})" if log.synthvid else ""


def _why(said: str, wanted: Size, buffer: FrameBuffer, log: VideoLog) -> str:
    """Say what is wrong; where it cannot be otherwise, say that."""
    if (log.synthvid, buffer.driver) in bounds.FB_TOPS_OUT:
        return f"{said}: this driver cannot do {wanted} on this host"
    return f"{said}, not {wanted}"
