r"""A VM's display and pointer, seen and set from the host.

Set-VMVideo and Get-VMVideo exist since Windows Server 2016; thumbnails and the synthetic mouse are
WMI classes of every release (``root\virtualization\v2``, Microsoft's Hyper-V WMI pages).
"""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import TYPE_CHECKING

from harness.checks.framebuffer import Offer, Size
from harness.checks.picture import Thumbnail
from harness.errors import EvidenceError, HostError
from harness.evidence import Evidence, Measured
from harness.host.command import Cmdlet, FixedScript, Value
from harness.host.gap import NAMESPACE, REALIZED, SETTINGS
from harness.host.wql import equals, select
from harness.png import png

if TYPE_CHECKING:
    from harness.host.vm import Vm

VIDEO_FROM_BUILD = 14393
DONE = 0
WITHIN = timedelta(minutes=5)
THUMBNAIL = Size(640, 360)
"""Large enough to be looked at, and 40 pixels for each cell of the grid; a whole screen would be
megabytes in every answer."""


def offers(build: int) -> bool:
    """Tell whether a host of this build lets a VM's resolution be set."""
    return build >= VIDEO_FROM_BUILD


def set_single(vm: Vm, size: Size) -> Measured[Offer]:
    """Offer the VM, which is off, one resolution; return what the host reads back."""
    given = {"HorizontalResolution": size.width, "VerticalResolution": size.height}
    vm.session.run(Cmdlet("Set-VMVideo", {"VMName": vm.name, "ResolutionType": "Single", **given}))
    answer = vm.session.run(Cmdlet("Get-VMVideo", {"VMName": vm.name}, safe_to_repeat=True))
    seen = answer.one()
    read = Size(seen.integer("HorizontalResolution"), seen.integer("VerticalResolution"))
    return Measured(Offer(seen.string("ResolutionType"), read), (answer.evidence,))


def thumbnail(vm: Vm, size: Size = THUMBNAIL) -> Measured[Thumbnail]:
    """Return the host's picture of the VM's screen; HostError when it gives none."""
    realized = equals("VirtualSystemType", REALIZED)
    query = select(SETTINGS, equals("VirtualSystemIdentifier", vm.id.upper()), realized)
    given: dict[str, Value] = {"Query": query, "Width": size.width, "Height": size.height}
    answer = vm.session.run(FixedScript("thumbnail-image", given), within=WITHIN)
    result = answer.one().integer("ReturnValue")
    if result != DONE:
        raise HostError(vm.session.name, f"no picture of {vm.name}: ReturnValue {result}")
    picture = Thumbnail(size.width, size.height, _decoded(answer.one().string("ImageData")))
    shown = png(size.width, size.height, picture.rgb())
    asked = f"picture of {vm.name} as the host shows it"
    said = f"{size} pixels, RGB565 of GetVirtualSystemThumbnailImage as PNG"
    seen = Evidence(asked, said, f"host {vm.session.name}", shown)
    return Measured(picture, (answer.evidence, seen))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise EvidenceError("thumbnail", "ImageData in Base64", text) from wrong


def point(vm: Vm, x: int, y: int) -> Evidence:
    """Move the VM's pointer to a pixel, from the host; HostError when the host does not do it."""
    mouse = select("Msvm_SyntheticMouse", equals("SystemName", vm.id.upper()))
    answer = vm.session.run(
        Cmdlet(
            "Invoke-CimMethod",
            {
                "Namespace": NAMESPACE,
                "Query": mouse,
                "MethodName": "SetAbsolutePosition",
                "Arguments": {"horizontalPosition": x, "verticalPosition": y},
            },
        )
    )
    result = answer.one().integer("ReturnValue")
    if result != DONE:
        raise HostError(
            vm.session.name, f"the pointer of {vm.name} was not moved: ReturnValue {result}"
        )
    return answer.evidence
