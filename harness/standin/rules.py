"""What a host keeps to in what it does: the numbers, as data of the host."""

from __future__ import annotations

from dataclasses import dataclass

from harness.standin.world import MIB


@dataclass(frozen=True, slots=True)
class Rules:
    """Numbers are bytes.

    ``low_gap``: least and most of Msvm_VirtualSystemSettingData.LowMmioGapSize.
    ``memory_past_minimum``, ``memory_past_maximum``: how far the balancer goes beyond the limits of
    a VM with dynamic memory. ``backup_of_saved_state``: a backup of a saved VM holds its memory.
    """

    low_gap: tuple[int, int] = (128 * MIB, 3584 * MIB)
    memory_past_minimum: int = 0
    memory_past_maximum: int = 0
    backup_of_saved_state: bool = True
