"""What a host checks before it does something: the numbers, as data of the host."""

from __future__ import annotations

from dataclasses import dataclass

from harness.standin.world import MIB


@dataclass(frozen=True, slots=True)
class Rules:
    """``low_gap``: least and most bytes of Msvm_VirtualSystemSettingData.LowMmioGapSize."""

    low_gap: tuple[int, int] = (128 * MIB, 3584 * MIB)
