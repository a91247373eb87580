"""What a VM's display offers, what it shows, and its pointer."""

from typing import cast
from uuid import UUID

import pytest

from harness.standin.host import Host
from harness.standin.lifecycle import spec
from harness.standin.values import Record, UInt16, Value
from tests.standin.hyperv.bench import Bench, Heard

SPACE = "root\\virtualization\\v2"
SET_VIDEO = "Microsoft.HyperV.PowerShell.Commands.SetVMVideo"


def offered(host: Host) -> tuple[tuple[int, int], tuple[int, int]]:
    (vm,) = host.world.vms.values()
    machine = spec(host, vm)
    return machine.resolution, machine.largest


def set_video(bench: Bench, kind: str, width: int, height: int) -> Heard:
    return bench.call(
        "Set-VMVideo", VMName=["a"], ResolutionType=kind, HorizontalResolution=UInt16(width),
        VerticalResolution=UInt16(height), Passthru=True,
    )  # fmt: skip


def running(bench: Bench) -> UUID:
    bench.call("New-VM", Name="a", MemoryStartupBytes=1 << 30)
    bench.call("Start-VM", Name=["a"])
    (vm,) = bench.host.world.vms
    return vm


def device(bench: Bench, name: str) -> Heard:
    return bench.call("Get-CimInstance", Namespace=SPACE, ClassName=name)


def point(bench: Bench, x: int, y: int) -> Value:
    heard = bench.call(
        "Invoke-CimMethod", Namespace=SPACE, Query="SELECT * FROM Msvm_SyntheticMouse",
        MethodName="SetAbsolutePosition",
        Arguments={"horizontalPosition": x, "verticalPosition": y},
    )  # fmt: skip
    return heard.one.properties["ReturnValue"]


def thumbnail(bench: Bench, width: int, height: int) -> Record:
    where = "VirtualSystemType = 'Microsoft:Hyper-V:System:Realized'"
    query = f"SELECT * FROM Msvm_VirtualSystemSettingData WHERE {where}"  # noqa: S608 - a test asks its own host
    system = bench.call("Get-CimInstance", Namespace=SPACE, Query=query).one
    return bench.call(
        "Invoke-CimMethod", Namespace=SPACE,
        Query="SELECT * FROM Msvm_VirtualSystemManagementService",
        MethodName="GetVirtualSystemThumbnailImage",
        Arguments={"TargetSystem": system, "WidthPixels": width, "HeightPixels": height},
    ).one  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "machine"),
    [
        ("Single", ((1920, 1080), (1920, 1080))),
        ("Maximum", ((1024, 768), (1920, 1080))),
        ("Default", ((1024, 768), (1920, 1080))),
    ],
)
def test_the_machine_offers_what_the_host_was_told(
    bench: Bench, kind: str, machine: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    bench.call("New-VM", Name="a", MemoryStartupBytes=1 << 30)
    shown = set_video(bench, kind, 1920, 1080).one.properties
    assert (str(shown["ResolutionType"]), shown["HorizontalResolution"]) == (kind, 1920)
    assert bench.call("Get-VMVideo", VMName=["a"]).one.properties == shown
    assert offered(bench.host) == machine


def test_a_single_resolution_other_than_the_usual_is_the_only_one(bench: Bench) -> None:
    bench.call("New-VM", Name="a", MemoryStartupBytes=1 << 30)
    set_video(bench, "Single", 1280, 720)
    assert offered(bench.host) == ((1280, 720), (1280, 720))


def test_a_display_is_set_only_while_the_vm_is_off(bench: Bench) -> None:
    running(bench)
    assert set_video(bench, "Single", 1920, 1080).fqid == f"InvalidState,{SET_VIDEO}"


@pytest.mark.parametrize("size", [(0, 1080), (1920, 479), (4096, 2160)])
def test_a_resolution_that_the_card_cannot_show_is_refused(
    bench: Bench, size: tuple[int, int]
) -> None:
    bench.call("New-VM", Name="a", MemoryStartupBytes=1 << 30)
    assert set_video(bench, "Single", *size).fqid == f"InvalidParameter,{SET_VIDEO}"
    assert offered(bench.host) == ((1024, 768), (1920, 1080))


def test_the_thumbnail_is_the_screen_in_5_6_5_bits_low_byte_first(bench: Bench) -> None:
    running(bench)
    made = thumbnail(bench, 4, 2).properties
    red, blue = b"\x00\xf8", b"\x1f\x00"
    assert (made["ReturnValue"], made["ImageData"]) == (0, (red * 2 + blue * 2) * 2)


def test_there_is_no_thumbnail_of_a_machine_that_is_off(bench: Bench) -> None:
    running(bench)
    bench.call("Stop-VM", Name=["a"], TurnOff=True, Force=True)
    made = thumbnail(bench, 4, 2).properties
    assert (made["ReturnValue"], made["ImageData"]) == (32775, None)


def test_a_thumbnail_without_a_size_is_a_bad_parameter(bench: Bench) -> None:
    running(bench)
    assert thumbnail(bench, 0, 2).properties["ReturnValue"] == 32773


def test_the_pointer_goes_to_the_pixel_that_the_host_names(bench: Bench) -> None:
    vm = running(bench)
    assert point(bench, 1, 0) == 0
    assert bench.machines.pointed == [(vm, 1, 0)]


@pytest.mark.parametrize("place", [(2, 0), (0, 1), (-1, 0)])
def test_a_place_beside_the_display_is_a_bad_parameter(
    bench: Bench, place: tuple[int, int]
) -> None:
    running(bench)
    assert point(bench, *place) == 32773
    assert bench.machines.pointed == []


def test_display_and_mouse_are_there_while_the_machine_runs(bench: Bench) -> None:
    vm = running(bench)
    head, mouse = device(bench, "Msvm_VideoHead").one, device(bench, "Msvm_SyntheticMouse").one
    assert cast(str, mouse.properties["SystemName"]) == str(vm).upper()
    assert head.properties["CurrentHorizontalResolution"] == 2
    bench.call("Stop-VM", Name=["a"], TurnOff=True, Force=True)
    assert device(bench, "Msvm_VideoHead").out == device(bench, "Msvm_SyntheticMouse").out == []
