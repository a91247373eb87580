"""Sizes that cannot be mixed up: bytes inside, a unit at every edge."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Bytes:
    """An amount of memory or storage; ``count`` is in bytes."""

    count: int

    def __mul__(self, n: int) -> Bytes:
        return Bytes(n * self.count)

    __rmul__ = __mul__

    def __add__(self, other: Bytes) -> Bytes:
        return Bytes(self.count + other.count)

    def __sub__(self, other: Bytes) -> Bytes:
        return Bytes(self.count - other.count)

    def __floordiv__(self, unit: Bytes) -> int:
        return self.count // unit.count

    def __mod__(self, unit: Bytes) -> Bytes:
        return Bytes(self.count % unit.count)

    def __str__(self) -> str:
        """Return the size in the largest of B, KiB and MiB that divides it: ``3584 MiB``."""
        for unit, name in ((MiB, "MiB"), (KiB, "KiB")):
            if self.count % unit.count == 0:
                return f"{self.count // unit.count} {name}"
        return f"{self.count} B"


KiB, MiB, GiB = Bytes(1 << 10), Bytes(1 << 20), Bytes(1 << 30)
