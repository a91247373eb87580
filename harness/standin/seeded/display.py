"""Faults of the display and the pointer: what the guest is offered, what the host shows of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from harness.standin.machines import MachineSpec, Picture
from harness.standin.seeded.fault import Fault, Level, tampered

if TYPE_CHECKING:
    from harness.standin.host import Host

STUCK = (1024, 768)
OTHER = (0, 0, 170)
"""The blue of a console that waits for somebody to log in."""

BESIDE = 40
"""Pixels that the pointer is off."""


def _offer_only_the_usual(host: Host) -> None:
    start = host.machines.start

    def start_stuck(spec: MachineSpec, resume_from: Path | None = None) -> None:
        start(replace(spec, resolution=STUCK, largest=STUCK), resume_from)

    host.machines = tampered(host.machines, start=start_stuck)


def _show_black(host: Host) -> None:
    look = host.machines.picture

    def picture(vm: UUID) -> Picture:
        seen = look(vm)
        return Picture(seen.width, seen.height, bytes(len(seen.rgb)))

    host.machines = tampered(host.machines, picture=picture)


def _show_the_first(host: Host) -> None:
    look, first = host.machines.picture, dict[UUID, Picture]()

    def picture(vm: UUID) -> Picture:
        return first.setdefault(vm, look(vm))

    host.machines = tampered(host.machines, picture=picture)


def _show_another(host: Host) -> None:
    """Show a running VM's neighbour, or where there is none a screen that no VM shows."""
    whole = host.machines

    def picture(vm: UUID) -> Picture:
        seen = whole.picture(vm)
        for other in host.world.vms:
            if other != vm and whole.state(other) == "running":
                found = whole.picture(other)
                if (found.width, found.height) == (seen.width, seen.height):
                    return found
        return Picture(seen.width, seen.height, bytes(OTHER) * (seen.width * seen.height))

    host.machines = tampered(whole, picture=picture)


def _point_beside(host: Host) -> None:
    point = host.machines.point

    def point_beside(vm: UUID, x: int, y: int) -> None:
        point(vm, x - BESIDE if x >= BESIDE else x + BESIDE, y)

    host.machines = tampered(host.machines, point=point_beside)


def _double_the_pointer(host: Host) -> None:
    start = host.machines.start

    def start_doubled(spec: MachineSpec, resume_from: Path | None = None) -> None:
        start(replace(spec, pointers=2), resume_from)

    host.machines = tampered(host.machines, start=start_doubled)


FAULTS = (
    Fault(
        "display-stuck",
        Level.GUEST,
        "a guest is offered 1024x768 alone, whatever the host was told",
        "MachineSpec.resolution",
        _offer_only_the_usual,
    ),
    Fault(
        "thumbnail-black",
        Level.HOST,
        "the host's pictures of screens are black",
        "Machines.picture",
        _show_black,
    ),
    Fault(
        "thumbnail-stale",
        Level.HOST,
        "the host shows the first picture of a screen again and again",
        "Machines.picture",
        _show_the_first,
    ),
    Fault(
        "thumbnail-of-another-vm",
        Level.HOST,
        "the host's pictures of a VM's screen show another screen",
        "Machines.picture",
        _show_another,
    ),
    Fault(
        "pointer-beside",
        Level.HOST,
        "the pointer goes 40 pixels beside the place that it is sent to",
        "Machines.point",
        _point_beside,
    ),
    Fault(
        "pointer-doubled",
        Level.GUEST,
        "a guest has two absolute pointers",
        "MachineSpec.pointers",
        _double_the_pointer,
    ),
)
