"""QEMU's command line for one machine; pure, so that a test can read it.

Devices have fixed addresses in a fixed order, so a saved state fits a later start of the same
specification. How the guest's memory and its low MMIO window follow from the numbers is explained
at ``low_memory``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from harness.standin.machines import DiskSpec, MachineError, MachineSpec, NicSpec
from harness.standin.memory import SLOTS, backend, dimm

GiB = 1 << 30
FIRST_NIC, MOST_NICS = 0x08, 8
VIDEO_MIB = 16
POINTER_SLOTS = (0x07, 0x10)
SCSI_SLOTS = (0x03, 0x11, 0x12, 0x13)
CONTROLLERS = {"IDE": (2, 2), "SCSI": (4, 64)}
"""Controllers and locations per controller of a Hyper-V VM."""


@dataclass(frozen=True, slots=True)
class Channels:
    """What QEMU is handed open: descriptor numbers of the sockets and of the state to resume.

    ``frames``: for each adapter its port of a private switch, None where it is on none.
    """

    qmp: int
    agent: int
    incoming: int | None = None
    frames: tuple[int | None, ...] = ()

    @property
    def all(self) -> tuple[int, ...]:
        """Return every descriptor that there is."""
        given = (self.qmp, self.agent, self.incoming, *self.frames)
        return tuple(one for one in given if one is not None)


def low_memory(gap: int) -> int:
    """Return where QEMU is to end memory below 4 GiB (max-ram-below-4g), in bytes.

    The guest's low window (bus 0000:00) begins where that memory ends. Gap >= 1 GiB: it ends at
    4 GiB - gap, what the machine has more lies above 4 GiB. Gap < 1 GiB: QEMU cuts low memory at
    3 GiB as soon as the machine has more than fits, so it is only told not to cut earlier, and the
    window is exact for a memory of 4 GiB - gap. Else the window begins at the end of the machine's
    memory when it has less, at 3 GiB when it has more: ``exact_gap`` tells.

    The remedies are worse: a memory module for the rest stays offline in an ordinary Debian 12
    guest, and the machine type that does not cut (pc-i440fx-1.7) has left newer QEMUs.
    """
    return 4 * GiB - gap if gap >= GiB else 4 * GiB


def exact_gap(memory: int, gap: int) -> bool:
    """Tell whether the guest's low window will start at exactly 4 GiB - gap (sizes in bytes)."""
    end = 4 * GiB - gap
    return memory >= end if gap >= GiB else memory == end


def mac(index: int) -> str:
    """Return the hardware address of the guest's n-th adapter, from 0.

    It is ours, not Hyper-V's: the guest image derives its address from it (there is no DHCP).
    """
    return f"52:54:00:00:00:{index + 1:02x}"


def node(disk: DiskSpec) -> str:
    """Return the block node's name of a disk's place, e.g. ``ide0-1``."""
    return f"{disk.controller.lower()}{disk.number}-{disk.location}"


def boot_order(disks: tuple[DiskSpec, ...]) -> tuple[DiskSpec, ...]:
    """Return the disks as the firmware tries them: IDE first, by controller and location."""
    return tuple(sorted(disks, key=lambda d: (d.controller != "IDE", d.number, d.location)))


def render(
    spec: MachineSpec, accelerator: str, channels: Channels, pid_file: Path
) -> tuple[str, ...]:
    """Return QEMU's arguments; the processors stand still until they are told to run (-S)."""
    return (
        *_machine(spec, accelerator, pid_file),
        *_modules(spec),
        *_channels(spec, channels),
        *_video(spec),
        *_storage(spec),
        *_network(spec, channels),
    )


def _machine(spec: MachineSpec, accelerator: str, pid_file: Path) -> tuple[str, ...]:
    return (
        *("-M", f"pc,max-ram-below-4g={low_memory(spec.low_gap)}", "-m", _memory(spec)),
        *(*_accelerator(accelerator), "-smp", str(spec.processors)),
        *("-uuid", str(spec.id), "-name", f"guest={_escaped(spec.name)}"),
        *_device({"driver": "pvpanic"}),
        *("-action", "panic=none"),  # a crash is reported, no more
        *("-pidfile", str(pid_file), "-S", "-nodefaults", "-no-user-config", "-display", "none"),
    )


def _memory(spec: MachineSpec) -> str:
    if spec.hot_plug is None:
        return f"{spec.memory}B"
    return f"{spec.memory}B,slots={SLOTS},maxmem={max(spec.hot_plug.limit, spec.memory + GiB)}B"


def _modules(spec: MachineSpec) -> tuple[str, ...]:
    """Plug the modules that a saved state was written with: QEMU gives them the same addresses."""
    sizes = spec.hot_plug.modules if spec.hot_plug else ()
    return tuple(
        argument
        for number, size in enumerate(sizes)
        for argument in (
            *("-object", json.dumps(backend(number, size))),
            *_device(dimm(number)),
        )
    )


def _accelerator(name: str) -> tuple[str, ...]:
    if name == "kvm":
        return ("-accel", "kvm", "-cpu", "host")
    return ("-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max")


def _channels(spec: MachineSpec, channels: Channels) -> tuple[str, ...]:
    port = {"driver": "virtserialport", "chardev": "agent", "name": "org.qemu.guest_agent.0"}
    incoming = () if channels.incoming is None else ("-incoming", f"fd:{channels.incoming}")
    log = f"file,id=serial,append=on,path={_escaped(str(spec.log))}" if spec.log else None
    return (
        *("-chardev", f"socket,id=qmp,fd={channels.qmp}", "-mon", "chardev=qmp,mode=control"),
        *("-chardev", log or "null,id=serial", "-serial", "chardev:serial"),
        *_pci("virtio-serial-pci", 0x04, id="ports"),
        *("-chardev", f"socket,id=agent,fd={channels.agent}", *_device(port)),
        *_pci("virtio-rng-pci", 0x05),
        *_pci("virtio-balloon-pci", 0x06, id="balloon"),
        *incoming,
    )


def _video(spec: MachineSpec) -> tuple[str, ...]:
    """Give every machine a display whose mode is told by EDID, and an absolute pointer."""
    sizes = zip(("xres", "yres", "xmax", "ymax"), (*spec.resolution, *spec.largest), strict=True)
    card: dict[str, Any] = {"driver": "VGA", "bus": "pci.0", "addr": "0x2", "id": "video"}
    return (
        *_device(card | {"vgamem_mb": VIDEO_MIB, "edid": True} | dict(sizes)),
        *(a for n in range(spec.pointers) for a in _pci("virtio-tablet-pci", POINTER_SLOTS[n])),
    )


def _storage(spec: MachineSpec) -> tuple[str, ...]:
    used = {0} | {d.number for d in spec.disks if d.controller == "SCSI"}
    controllers = (
        argument
        for number, slot in enumerate(SCSI_SLOTS)
        if number in used
        for argument in _pci("virtio-scsi-pci", slot, id=f"scsi{number}")
    )
    disks = (
        argument
        for order, disk in enumerate(boot_order(spec.disks), 1)
        for argument in _disk(disk, order)
    )
    return (*controllers, *disks)


def _disk(disk: DiskSpec, order: int) -> tuple[str, ...]:
    block, device = block_node(disk), device_of(disk) | {"bootindex": order}
    return ("-blockdev", json.dumps(block), *_device(device))


def block_node(disk: DiskSpec) -> dict[str, Any]:
    """Return the block node of a disk, as -blockdev and blockdev-add take it."""
    _refuse_bad_place(disk)
    cache = {"no-flush": True}  # the host's page cache outlives a QEMU that is killed
    file = {"driver": "file", "filename": str(disk.path), "cache": cache}
    size = {} if disk.size is None else {"size": disk.size}
    part = {"offset": disk.offset, **size} if disk.format == "raw" else {}
    return {
        "driver": disk.format,
        "node-name": node(disk),
        "read-only": disk.read_only,
        "discard": "ignore" if part else "unmap",  # a fixed disk keeps its space
        "cache": cache,
        "file": file,
        **part,
    }


def device_of(disk: DiskSpec) -> dict[str, Any]:
    """Return the device that shows the guest a disk, as -device and device_add take it."""
    place: dict[str, Any] = (
        {"driver": "ide-hd", "bus": f"ide.{disk.number}", "unit": disk.location}
        if disk.controller == "IDE"
        else {"driver": "scsi-hd", "bus": f"scsi{disk.number}.0", "lun": disk.location}
    )
    return place | {"drive": node(disk), "id": f"disk-{node(disk)}"}


def _refuse_bad_place(disk: DiskSpec) -> None:
    controllers, locations = CONTROLLERS.get(disk.controller, (0, 0))
    if not (0 <= disk.number < controllers and 0 <= disk.location < locations):
        place = f"{disk.controller} controller {disk.number}, location {disk.location}"
        raise MachineError(f"{disk.path}: a machine has no {place}")


def _network(spec: MachineSpec, channels: Channels) -> tuple[str, ...]:
    if len(spec.nics) > MOST_NICS:
        raise MachineError(f"{spec.name}: a machine has at most {MOST_NICS} network adapters")
    frames = (*channels.frames, *(None for _ in spec.nics))
    return tuple(a for index, nic in enumerate(spec.nics) for a in _nic(index, nic, frames[index]))


def _nic(index: int, nic: NicSpec, frames: int | None) -> tuple[str, ...]:
    card = {"netdev": f"net{index}", "id": f"nic{index}", "mac": nic.mac, "romfile": ""}
    return ("-netdev", _net(index, nic, frames), *_pci("virtio-net-pci", FIRST_NIC + index, **card))


def _net(index: int, nic: NicSpec, frames: int | None) -> str:
    """Connect an adapter to its private switch, or to a network of its own.

    Those are 10.0.2.0/24 upward, the guest being .15 there.
    """
    if frames is not None:
        return f"dgram,id=net{index},local.type=fd,local.str={frames}"
    net = f"user,id=net{index},net=10.0.{2 + index}.0/24"
    if nic.address is None:
        return net + ",restrict=on"
    return net + f",hostfwd=tcp:{_loopback(nic.address)}:22-10.0.{2 + index}.15:22"


def _loopback(address: str) -> IPv4Address:
    try:
        parsed = IPv4Address(address)
    except ValueError as error:
        raise MachineError(f"{address}: not an IPv4 address") from error
    if not parsed.is_loopback:
        raise MachineError(f"{address}: guests answer at loopback addresses only")
    return parsed


def _pci(driver: str, slot: int, **properties: str) -> tuple[str, ...]:
    return _device({"driver": driver, "bus": "pci.0", "addr": f"{slot:#x}", **properties})


def _device(properties: dict[str, Any]) -> tuple[str, ...]:
    return ("-device", json.dumps(properties))


def _escaped(text: str) -> str:
    """Double commas: QEMU's key=value lists have no other quoting."""
    return text.replace(",", ",,")
