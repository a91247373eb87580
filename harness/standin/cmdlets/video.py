"""Get/Set-VMVideo (2016 and later): what resolution a VM's display offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from harness.standin import changes
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.firmware import owned
from harness.standin.cmdlets.select import each, number, sources
from harness.standin.host import Host
from harness.standin.parts import Part, component
from harness.standin.values import Record, Value
from harness.standin.world import Vm


def get_video(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMVideo."""
    for source in sources(host, given, streams):
        yield video(host, Part(source.vm, source.settings.video, source.snapshot))


def set_video(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Set-VMVideo; only while the VM is Off."""

    def act(vm: Vm) -> list[Value]:
        now = vm.settings.video
        width, height = number(given, "HorizontalResolution"), number(given, "VerticalResolution")
        wanted = replace(
            now,
            kind=str(given.get("ResolutionType", now.kind)),
            width=now.width if width is None else width,
            height=now.height if height is None else height,
        )
        vm.settings.video = changes.video(vm, wanted)
        return [video(host, Part(vm, wanted))] if given.flag("Passthru") else []

    return each(host, owned(given, "VMVideo"), streams, act)


def video(host: Host, part: Part) -> Record:
    """Build a VMVideo."""
    shown = part.settings.video
    values: dict[str, Value] = {
        "ResolutionType": shown.kind,
        "HorizontalResolution": shown.width,
        "VerticalResolution": shown.height,
        "Name": "Video",
        "Id": f"Microsoft:{str(part.vm.id).upper()}\\7E9A81E9-3FBE-4A1F-A9FC-D9EB5C0D2E8F",
    }
    return component(host, part, "VMVideo", values)


CMDLETS = (Cmdlet("Get-VMVideo", get_video), Cmdlet("Set-VMVideo", set_video))
