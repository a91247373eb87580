"""QEMU's command line as it is rendered, without QEMU."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from harness.standin.commandline import Channels, GiB, exact_gap, render
from harness.standin.machines import DiskSpec, HotPlug, MachineError, MachineSpec, NicSpec

MiB = 1 << 20
BOOT = DiskSpec(Path("/d/boot.vhdx"), "IDE")
DATA = DiskSpec(Path("/d/data, 2.vhdx"), "SCSI", 0, 5, "raw", read_only=True)
SPEC = MachineSpec(
    id=UUID("9a3e6d1c-8c0b-4a0f-9a51-1f5d9f6a7b00"),
    name="o'neil, the 1st",
    memory=4096 * MiB,
    processors=2,
    low_gap=1 * GiB,
    disks=(DATA, BOOT),
    nics=(NicSpec("00:15:5d:00:00:01", "127.87.0.4"), NicSpec("00:15:5d:00:00:02", None)),
    log=Path("/logs/a,b.log"),
)


def argv(spec: MachineSpec = SPEC, incoming: int | None = None, accelerator: str = "tcg") -> str:
    return "\n".join(render(spec, accelerator, Channels(7, 8, incoming), Path("/run/x.pid")))


def devices(spec: MachineSpec) -> list[dict[str, Any]]:
    lines = render(spec, "tcg", Channels(7, 8), Path("/run/x.pid"))
    pairs = pairwise(lines)
    return [json.loads(value) for option, value in pairs if option in ("-device", "-blockdev")]


def device(driver: str, spec: MachineSpec = SPEC) -> dict[str, Any]:
    return next(d for d in devices(spec) if d["driver"] == driver)


def test_a_machine_without_room_for_modules_has_exactly_its_memory() -> None:
    assert f"-m\n{4096 * MiB}B\n" in argv()
    assert "pc-dimm" not in argv()


def test_a_machine_with_room_has_slots_and_the_modules_of_its_saved_state() -> None:
    plug = HotPlug(32 * GiB, (128 * MiB, 256 * MiB))
    spec = replace(SPEC, memory=768 * MiB, hot_plug=plug)
    assert f"-m\n{768 * MiB}B,slots=64,maxmem={32 * GiB}B\n" in argv(spec)
    assert [d["memdev"] for d in devices(spec) if d["driver"] == "pc-dimm"] == [
        "module0", "module1",
    ]  # fmt: skip
    assert f'"id": "module1", "size": {256 * MiB}' in argv(spec)


@pytest.mark.parametrize(
    ("memory", "gap"),
    [
        (3968, 128),
        (4096, 1024),
        (4096, 2048),
        (4096, 3456),
        (4096, 3584),
        (6144, 1024),
        (6144, 2048),
    ],
)
def test_the_low_window_is_exact(memory: int, gap: int) -> None:
    assert exact_gap(memory * MiB, gap * MiB)


@pytest.mark.parametrize(("memory", "gap"), [(1024, 128), (1024, 1024), (4000, 128), (4096, 128)])
def test_memory_that_cannot_make_the_window_exact_is_said_so(memory: int, gap: int) -> None:
    assert not exact_gap(memory * MiB, gap * MiB)


def test_a_large_gap_ends_low_memory() -> None:
    assert "pc,max-ram-below-4g=3221225472\n" in argv()


def test_a_small_gap_leaves_low_memory_to_the_machines_size() -> None:
    text = argv(replace(SPEC, low_gap=128 * MiB, memory=3968 * MiB))
    assert "pc,max-ram-below-4g=4294967296\n-m\n4160749568B" in text


def test_the_firmware_tries_ide_before_scsi() -> None:
    assert device("ide-hd")["bootindex"] == 1
    assert device("scsi-hd")["bootindex"] == 2


def test_a_disk_keeps_its_place_format_and_read_only_flag() -> None:
    assert device("scsi-hd")["lun"] == 5
    block = device("raw")
    assert (block["node-name"], block["read-only"]) == ("scsi0-5", True)
    assert block["file"]["filename"] == "/d/data, 2.vhdx"


def test_a_second_scsi_controller_appears_with_its_disk() -> None:
    spec = replace(SPEC, disks=(replace(DATA, number=2),))
    scsi = [d["id"] for d in devices(spec) if d["driver"] == "virtio-scsi-pci"]
    assert scsi == ["scsi0", "scsi2"]


@pytest.mark.parametrize("disk", [replace(BOOT, number=2), replace(DATA, location=64)])
def test_a_place_that_no_machine_has_is_refused(disk: DiskSpec) -> None:
    with pytest.raises(MachineError, match="a machine has no"):
        argv(replace(SPEC, disks=(disk,)))


def test_an_adapter_with_an_address_forwards_port_22_of_it() -> None:
    assert "id=net0,net=10.0.2.0/24,hostfwd=tcp:127.87.0.4:22-10.0.2.15:22" in argv()
    assert device("virtio-net-pci")["mac"] == "00:15:5d:00:00:01"


def test_an_adapter_on_a_private_switch_gets_the_port_that_was_opened_for_it() -> None:
    private = replace(SPEC, nics=(SPEC.nics[0], NicSpec("52:54:00:99:00:01", None, SPEC.id)))
    lines = render(private, "tcg", Channels(7, 8, None, (None, 11)), Path("/run/x.pid"))
    assert "dgram,id=net1,local.type=fd,local.str=11" in lines
    assert Channels(7, 8, None, (None, 11)).all == (7, 8, 11)


def test_an_adapter_without_a_switch_reaches_nothing() -> None:
    assert "user,id=net1,net=10.0.3.0/24,restrict=on" in argv()


def test_a_guest_is_never_offered_to_the_outside() -> None:
    with pytest.raises(MachineError, match="loopback"):
        argv(replace(SPEC, nics=(NicSpec("", "0.0.0.0"),)))  # noqa: S104 - refused is the point
    with pytest.raises(MachineError, match="not an IPv4 address"):
        argv(replace(SPEC, nics=(NicSpec("", "127.0.0.1,guestfwd=x"),)))


def test_commas_in_names_and_paths_add_no_options() -> None:
    assert "guest=o'neil,, the 1st" in argv()
    assert "path=/logs/a,,b.log" in argv()


def test_every_machine_has_a_display_that_offers_its_resolution_and_a_pointer() -> None:
    card = device("VGA", replace(SPEC, resolution=(1920, 1080)))
    assert (card["addr"], card["edid"], card["xres"], card["yres"]) == ("0x2", True, 1920, 1080)
    assert device("virtio-tablet-pci")["bus"] == "pci.0"


def test_no_device_address_is_given_twice() -> None:
    many = tuple(NicSpec("", f"127.87.0.{n}") for n in range(1, 9))
    disks = tuple(replace(DATA, number=n) for n in range(4))
    taken = [d["addr"] for d in devices(replace(SPEC, nics=many, disks=disks)) if "addr" in d]
    assert len(taken) == len(set(taken))


def test_a_machine_has_at_most_eight_adapters() -> None:
    with pytest.raises(MachineError, match="at most 8"):
        argv(replace(SPEC, nics=(NicSpec("", None),) * 9))


def test_a_resumed_machine_has_the_same_devices_as_a_started_one() -> None:
    assert argv(incoming=9).replace("\n-incoming\nfd:9", "") == argv()


def test_kvm_replaces_only_the_processor() -> None:
    started = argv().replace("tcg,thread=multi,tb-size=128\n-cpu\nmax", "kvm\n-cpu\nhost")
    assert argv(accelerator="kvm") == started
