# ruff: noqa: E501  # samples are as long as they come
from __future__ import annotations

import pytest

from harness.checks.video_log import VideoLog, parse_video_log

GUID = "5620e0c7-8062-4dce-aeb7-520c7ef76171"
DRM = f"[    3.4] hyperv_drm {GUID}: [drm] Synthvid Version major 3, minor 2\n"
MODE = "[    3.5] hyperv_fb: Screen resolution: 1600x1200, Color depth: 32\n"
BOOT = "[    0.000000] Linux version 6.1.0 (a@b)\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", VideoLog()),
        (MODE, VideoLog("hyperv_fb", 1600, 1200, 32)),
        (DRM, VideoLog("hyperv_drm", synthvid="3.2")),
        ("[    3.9] [drm] Initialized hyperv_drm 1.0.0 for x on minor 0\n", VideoLog("hyperv_drm")),
        ("hv_vmbus: registering driver hyperv_drm\nhv_vmbus: registering driver hyperv_fb\n", VideoLog()),
        ("Modules linked in: hyperv_fb(E) hyperv_drm(E) drm(E)\n", VideoLog()),
        ("hyperv_fb: loading out-of-tree module taints kernel.\n", VideoLog()),
        ("hyperv_drm: externally supported module, setting X kernel taint flag.\n", VideoLog()),
        ("fb0: EFI VGA frame buffer device\nefifb: mode is 1024x768x32, linelength=4096, pages=1\n", VideoLog()),
        ("Console: switching to colour frame buffer device 240x67\n", VideoLog()),
        ("fb0: switching to hyperv_fb from EFI VGA\n", VideoLog("hyperv_fb")),
        ("hyperv_fb: Screen resolution: 1024x768, Color depth: 32, Frame buffer size: 8388608\n", VideoLog("hyperv_fb", 1024, 768, 32)),
        ("hyperv_fb: Screen resolution: 1024x768, Color\ndepth: 32\n", VideoLog("hyperv_fb", 1024, 768, 32)),
        (f"hyperv_fb: probe of {GUID} failed with error -19\n", VideoLog()),
        (MODE + f"hyperv_fb {GUID}: probe with driver hyperv_fb failed with error -12\n", VideoLog()),
        ("hyperv_fb: Unable to connect to VSP\n", VideoLog()),
        (MODE + DRM + f"hyperv_fb: probe of {GUID} failed with error -19\n", VideoLog("hyperv_drm", synthvid="3.2")),
        (MODE + DRM + f"hyperv_drm: probe of {GUID} failed with error -19\n", VideoLog()),
        (MODE + f"hyperv_fb: probe of {GUID} failed with error -19\nfb0: switching to hyperv_fb from EFI VGA\n", VideoLog("hyperv_fb")),
        (MODE + BOOT, VideoLog()),
        (MODE + BOOT + DRM, VideoLog("hyperv_drm", synthvid="3.2")),
        (DRM + f"hyperv_drm {GUID}: [drm] Cannot request framebuffer, boot fb still active?\n", VideoLog("hyperv_drm", synthvid="3.2")),
        ("0 hyperv_drmdrmfb\n", VideoLog("hyperv_drm")),
        ("fbcon: hyperv_drmdrmfb (fb0) is primary device\n", VideoLog("hyperv_drm")),
        (f"[    3.400000] hyperv_drm {GUID}: [drm]\n[    3.500000] hyperv_fb: Screen resolution: 1600x1200, Color depth: 32\n", VideoLog("hyperv_fb", 1600, 1200, 32)),
    ],
)  # fmt: skip
def test_the_driver_that_speaks_for_itself_is_bound(text: str, found: VideoLog) -> None:
    assert parse_video_log(text) == found
