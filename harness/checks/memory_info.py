"""/proc/meminfo: how much memory the guest has, has free, and could make free."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.checks.text import lines
from harness.errors import EvidenceError
from harness.evidence import Probe


@dataclass(frozen=True, slots=True)
class MemoryInfo:
    """In KiB (the file says "kB" and means 1024 bytes); None where the row is missing.

    ``available`` is missing before kernel 3.14.
    """

    total: int
    free: int | None
    available: int | None


# MemTotal:        8164548 kB          (2.4 to 6.x; a logger's prefix may stand before)
_ROW = re.compile(r"(?:^|[\s|\"':+])(Mem(?:Total|Free|Available)):\s{0,40}(\d{1,15}) ?kB\b")
# Node 0 MemTotal:       8388152 kB    (/sys/devices/system/node/node0/meminfo: one node's only)
_NODE = re.compile(r"\bNode \d{1,5} $")


def parse_memory_info(text: str) -> MemoryInfo:
    """Read the last /proc/meminfo in a text; raise EvidenceError without MemTotal."""
    rows: dict[str, int] = {}
    for line in lines(text):
        if "Mem" not in line:
            continue
        for found in _ROW.finditer(line):
            if _NODE.search(line, 0, found.start(1)):
                break  # what stands behind it is of one node, too
            if found[1] == "MemTotal":
                rows = {}
            rows[found[1]] = int(found[2])
    if "MemTotal" not in rows:
        raise EvidenceError("/proc/meminfo", "MemTotal row", text)
    return MemoryInfo(rows["MemTotal"], rows.get("MemFree"), rows.get("MemAvailable"))


MEMORY_INFO = Probe(("cat", "/proc/meminfo"), parse_memory_info)
