r"""Display and pointer of running VMs in WMI, and the thumbnail of a VM's screen.

A VM that does not run has no such devices, as on a real host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.standin import screen
from harness.standin.cim.methods import BAD_PARAMETER, BAD_STATE, DONE, FAILED
from harness.standin.cim.model import Found, Method
from harness.standin.host import Host
from harness.standin.lifecycle import observe
from harness.standin.machines import MachineError
from harness.standin.parts import UP
from harness.standin.values import Record, UInt32, Value
from harness.standin.world import Vm

DISPLAY = "F3CF6965-E8D3-44A9-9B7D-A04245EA7525"
MOUSE = "58F75A6D-D949-4320-99E1-A2A2576D581C"
"""The GUIDs in the DeviceID of every VM's synthetic display and mouse, seen on a real host."""

MOST_PIXELS = 4096 * 2160


def _running(host: Host) -> Iterable[Vm]:
    for vm in list(host.world.vms.values()):
        observe(host, vm)
        if vm.state in UP:
            yield vm


def _device(vm: Vm, name: str, class_name: str, device: str) -> dict[str, Value]:
    return {
        "Caption": name,
        "ElementName": name,
        "Name": name,
        "OperationalStatus": [2],
        "StatusDescriptions": ["OK"],
        "HealthState": 5,
        "EnabledState": 2,
        "RequestedState": 12,
        "EnabledDefault": 2,
        "SystemCreationClassName": "Msvm_ComputerSystem",
        "SystemName": str(vm.id).upper(),
        "CreationClassName": class_name,
        "DeviceID": f"Microsoft:{device}",
        "Availability": 6,
        "AdditionalAvailability": [6],
    }


def video_heads(host: Host) -> Iterable[Found]:
    """Yield the display of each running VM with the resolution that its guest has set."""
    for vm in _running(host):
        shown = host.machines.picture(vm.id)
        values = {
            **_device(vm, "Video Head", "Msvm_VideoHead", f"{DISPLAY}\\0"),
            "CurrentBitsPerPixel": 32,
            "CurrentHorizontalResolution": shown.width,
            "CurrentVerticalResolution": shown.height,
        }
        yield Found(values, vm)


def mice(host: Host) -> Iterable[Found]:
    """Yield the synthetic mouse of each running VM."""
    for vm in _running(host):
        values = {
            **_device(vm, "Mouse", "Msvm_SyntheticMouse", MOUSE),
            "Description": "Microsoft Synthetic Mouse",
            "IsLocked": False,
            "PointingType": 3,
            "NumberOfButtons": 5,
            "Handedness": 2,
            "AbsoluteCoordinates": True,
        }
        yield Found(values, vm)


def set_absolute_position(host: Host, found: Found, given: Mapping[str, Value]) -> dict[str, Value]:
    """Msvm_SyntheticMouse.SetAbsolutePosition: pixels of the display, from the top left."""
    x, y = _number(given, "horizontalPosition"), _number(given, "verticalPosition")
    if x is None or y is None or not isinstance(found.live, Vm):
        return _answer(BAD_PARAMETER)
    try:
        shown = host.machines.picture(found.live.id)
        if not (0 <= x < shown.width and 0 <= y < shown.height):
            return _answer(BAD_PARAMETER)
        host.machines.point(found.live.id, x, y)
    except MachineError:
        return _answer(FAILED)
    return _answer(DONE)


def thumbnail(host: Host, _: Found, given: Mapping[str, Value]) -> dict[str, Value]:
    """GetVirtualSystemThumbnailImage: the screen of a running VM, scaled, as RGB565."""
    vm = _target(given.get("TargetSystem"))
    width, height = _number(given, "WidthPixels"), _number(given, "HeightPixels")
    if vm is None or not width or not height or not 0 < width * height <= MOST_PIXELS:
        return _answer(BAD_PARAMETER, image=None)
    if vm.state not in UP:
        return _answer(BAD_STATE, image=None)
    try:
        shown = host.machines.picture(vm.id)
    except MachineError:
        return _answer(FAILED, image=None)
    return _answer(DONE, image=screen.rgb565(shown, width, height))


def _answer(code: int, **more: bytes | None) -> dict[str, Value]:
    image = {"ImageData": more["image"]} if "image" in more else {}
    return {"ReturnValue": UInt32(code), **image}


def _target(value: Value) -> Vm | None:
    """Return the VM whose realized settings an instance holds; None for a checkpoint's."""
    behind = value.live if isinstance(value, Record) else None
    found = behind[1] if isinstance(behind, tuple) else None
    return found.live if isinstance(found, Found) and isinstance(found.live, Vm) else None


def _number(given: Mapping[str, Value], name: str) -> int | None:
    value = next((v for n, v in given.items() if n.casefold() == name.casefold()), None)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


MOUSE_METHODS: Mapping[str, Method] = {"SetAbsolutePosition": set_absolute_position}
