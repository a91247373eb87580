"""Numbers as PowerShell text writes them."""

from __future__ import annotations

import re

_NUMBER = re.compile(
    r"\s*([+-]?)(?:0x([0-9a-f]+)|(\d+\.?\d*|\.\d+)(?:e([+-]?\d+))?)(?:u?l|d)?(kb|mb|gb|tb|pb)?\s*$",
    re.IGNORECASE,
)
_LONGEST = 64  # characters: no number of PowerShell is longer
_MULTIPLES = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}


def number(text: str) -> int | float | None:
    """Return the number that a PowerShell literal means (``3GB``, ``0x10``, ``1.5``), or None."""
    found = _NUMBER.match(text) if len(text) <= _LONGEST else None
    if not found:
        return None
    sign, hexadecimal, decimal, exponent, multiple = found.groups()
    factor = _MULTIPLES.get((multiple or "").lower(), 1) * (-1 if sign == "-" else 1)
    if hexadecimal:
        return int(hexadecimal, 16) * factor
    if "." in decimal or exponent:
        real = float(f"{decimal}e{exponent or 0}") * factor
        return int(real) if multiple and real.is_integer() else real
    return int(decimal) * factor
