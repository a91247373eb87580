"""CRC-32C (Castagnoli), the checksum of VHDX structures: [MS-VHDX] 2.2 names it, RFC 3720 B.4."""

from __future__ import annotations

from functools import cache

_POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41 with its bits reversed


@cache
def _table() -> tuple[int, ...]:
    def entry(byte: int) -> int:
        for _ in range(8):
            byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
        return byte

    return tuple(entry(byte) for byte in range(256))


def crc32c(data: bytes) -> int:
    """Return the checksum of the bytes."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
