"""Which Hyper-V video driver is bound, and the mode it set, by the lines that it prints itself.

A driver that merely registers on the VMBus or stands in a module list is not bound; firmware's
buffer (efifb, vesafb, simpledrm) and console columns (``128x48``) say nothing of it. Only hyperv_fb
prints a resolution::

    hyperv_fb: Synthvid Version major 3, minor 5                                    (since 4.18)
    hyperv_fb: Screen resolution: 1152x864, Color depth: 32                         (3.10 to 6.0)
    hyperv_fb: Screen resolution: 1024x768, Color depth: 32, Frame buffer size: 8388608
    hyperv_drm 5620e0c7-8062-4dce-aeb7-520c7ef76171: [drm] Synthvid Version major 3, minor 5
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from harness.checks.boots import Boots
from harness.checks.text import records


@dataclass(frozen=True, slots=True)
class VideoLog:
    """``synthvid``: the protocol's version as "3.5"; ``depth`` in bits; None where not printed."""

    driver: str | None = None
    width: int | None = None
    height: int | None = None
    depth: int | None = None
    synthvid: str | None = None


_OWN = re.compile(
    r"\b(?P<driver>hyperv_fb|hyperv_drm)(?: [\w.:-]{1,60}?)?: (?P<said>\S.*)"
    # [drm] Initialized hyperv_drm 1.0.0 2020 for 5620e0c7-8062-4dce-aeb7-520c7ef76171 on minor 0
    r"|\[drm\] Initialized (?P<drm>hyperv_drm) "
    # fb0: switching to hyperv_fb from EFI VGA        (fbdev's line, from within the driver's probe)
    r"|\bfb\d?: switching to (?P<taking>hyperv_fb|hyperv_drm)(?:drmfb)? from "
    # 0 hyperv_fb (/proc/fb)        fbcon: hyperv_drmdrmfb (fb0) is primary device
    r"|^\d (?P<fb>hyperv_fb|hyperv_drm)(?:drmfb)?$"
    r"|^fbcon: (?P<con>hyperv_fb|hyperv_drm)(?:drmfb)? \(fb\d\) is primary"
)
_LOADER = re.compile(
    r"loading out-of-tree|module verification failed|externally supported module|module license"
    r"|no symbol version|disagrees about version|Unknown (?:symbol|parameter)|version magic"
)
_FAILED = re.compile(
    # hyperv_fb: probe of 5620e0c7-... failed with error -19
    r"\bprobe (?:of|with driver) .{1,80}failed with error -?\d"
    r"|Time out on waiting|Unable to (?:open vmbus channel|connect to VSP|register framebuffer)"
    r"|No memory for framebuffer|Unable to allocate framebuffer memory|[Nn]egotiation failed"
    r"|Failed to (?:connect to vmbus|allocate mmio|map vram|register drm driver)"
)
_SYNTHVID = re.compile(r"Synthvid Version major (\d{1,4}), minor (\d{1,4})")
_MODE = re.compile(
    r"Screen resolution: (\d{1,6})x(\d{1,6})(?:, Color(?: depth: (?P<depth>\d{1,3}))?)?"
)
_CUT = re.compile(  # where a mailer broke the line
    r"\bhyperv_(?:fb|drm)\b.{0,100}(?:Synthvid(?: Version(?: major(?: \d{1,4},(?: minor)?)?)?)?"
    r"|Screen(?: resolution:)?|Color(?: depth:)?|\d,|\[drm\])$|^hyperv_(?:fb|drm)$"
)


def parse_video_log(text: str) -> VideoLog:
    """Read the last boot of a kernel log; of two drivers the one that spoke last is bound."""
    scan = _Scan()
    for record in records(text):
        scan.feed(record.message)
    return scan.bound


@dataclass(slots=True)
class _Boot:
    """What each driver said in one boot, and whose word was last."""

    said: dict[str, VideoLog] = field(default_factory=dict)
    last: str | None = None

    def take(self, driver: str, said: str) -> None:
        if _FAILED.search(said):
            self.said.pop(driver, None)
            self.last = None if self.last == driver else self.last
            return
        log = self.said.get(driver, VideoLog(driver))
        if version := _SYNTHVID.search(said):
            log = replace(log, synthvid=f"{version[1]}.{version[2]}")
        if mode := _MODE.search(said):
            depth = int(mode["depth"]) if mode["depth"] else None
            log = replace(log, width=int(mode[1]), height=int(mode[2]), depth=depth)
        self.said[driver], self.last = log, driver


class _Scan:
    """One pass over the messages."""

    def __init__(self) -> None:
        self._boots = Boots(_Boot)
        self._cut = ""

    @property
    def bound(self) -> VideoLog:
        now = self._boots.now
        return now.said.get(now.last, VideoLog()) if now.last else VideoLog()

    def feed(self, message: str) -> None:
        if self._cut and not message.startswith("hyperv_"):
            message = f"{self._cut} {message}"
        self._cut = message[-300:] if "hyperv_" in message and _CUT.search(message) else ""
        self._boots.feed(message)
        if "hyperv_" not in message or not (found := _OWN.search(message)):
            return
        driver = next(name for name in found.group("driver", "drm", "taking", "fb", "con") if name)
        said = found["said"] or ""
        if _LOADER.search(said):
            return
        self._boots.now.take(driver, said)
