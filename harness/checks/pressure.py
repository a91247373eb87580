"""How much of a host's memory a case may fill, and with what. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.units import Bytes, GiB, MiB

STEP = 128 * MiB
"""Less free memory than this above the reserve is not worth another VM."""

LARGEST = 4 * GiB
"""Of one filler, so that a host that allocates at once can; with more than 8 of them: larger."""

MOST = 8
PAGE = 2 * MiB
NOTHING = Bytes(0)


@dataclass(frozen=True, slots=True)
class Room:
    """A host's free memory as measured, and what the inventory says of it; ``held``: by fillers."""

    free: Bytes
    reserve: Bytes
    budget: Bytes | None
    held: Bytes = NOTHING


def why_not(room: Room) -> str:
    """Return why the host must not, or cannot, be filled down to its reserve; "" when it may."""
    if room.budget is None:
        return "the inventory grants no memory_budget, so the host's memory is not filled"
    needed = room.free - room.reserve
    if needed > room.budget - room.held:
        return (
            f"filling {room.free} of free memory down to the reserve of {room.reserve} takes more"
            f" than the memory_budget of {room.budget}"
        )
    return ""


def fillers(room: Room) -> tuple[Bytes, ...]:
    """Return the sizes of the VMs that fill the host down to its reserve; () when it is full."""
    left = (room.free - room.reserve).count
    largest = max(LARGEST.count, -(-left // MOST) // PAGE.count * PAGE.count)
    sizes = []
    while left >= STEP.count:
        size = min(left, largest) // PAGE.count * PAGE.count
        sizes.append(Bytes(size))
        left -= size
    return tuple(sizes)
