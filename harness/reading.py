"""Raw text to one JSON-able answer per topic, with the parsers that the judges use.

``hvcert read TOPIC FILE`` prints these. Unknown is null, never a guess; an EvidenceError means
that the text cannot be this topic at all. Here are only the JSON keys: the reading itself is in
``harness/checks``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TypeAlias

from harness.checks import bounds
from harness.checks.balloon_log import parse_balloon
from harness.checks.disk_free import parse_df
from harness.checks.health import read_problems
from harness.checks.interrupts import parse_interrupts
from harness.checks.kdump_state import parse_kdump
from harness.checks.memory_info import parse_memory_info
from harness.checks.panic import parse_panic
from harness.checks.root_bus import parse_root_bus
from harness.checks.storage import parse_storage
from harness.checks.video_log import parse_video_log
from harness.checks.vss_log import parse_vss_log
from harness.units import MiB

Answer: TypeAlias = dict[str, object]


def read_mmio(text: str) -> Answer:
    """Windows of the root bus, the low one's start, and the gap (MiB; a fraction if it is one)."""
    bus = parse_root_bus(text)
    gap = None if bus.low is None else (bounds.GAP_TOP.count - bus.low.start) / MiB.count
    return {
        "root_windows": [[hex(window.start), hex(window.end)] for window in bus.windows],
        "low_window_start": hex(bus.low.start) if bus.low else None,
        "gap_mib": int(gap) if gap is not None and gap.is_integer() else gap,
    }


def read_interrupts(text: str) -> Answer:
    """CPU numbers and NMI counts; raises EvidenceError without a CPU header."""
    found = parse_interrupts(text)
    return {"cpus": list(found.cpus), "nmi": None if found.nmi is None else list(found.nmi)}


def read_balloon(text: str) -> Answer:
    """Protocol and maximum of dynamic memory, a failed hot-add's errno, and the OOM killer."""
    return asdict(parse_balloon(text))


def read_meminfo(text: str) -> Answer:
    """Memory in KiB; raises EvidenceError without MemTotal."""
    found = parse_memory_info(text)
    return {
        "MemTotal_kib": found.total,
        "MemFree_kib": found.free,
        "MemAvailable_kib": found.available,
    }


def read_vss(text: str) -> Answer:
    """Whether the VSS daemon runs at the end of the text, and what it could not freeze."""
    found = parse_vss_log(text)
    failures = [asdict(failure) for failure in found.freeze_failures]
    return {"active": found.active, "freeze_failures": failures}


def read_storage(text: str) -> Answer:
    """Disks that changed size (bytes), disks with I/O errors, and the last growth's end."""
    found = parse_storage(text)
    return {
        "capacity_changes": [asdict(change) for change in found.capacity_changes],
        "io_errors": list(found.io_errors),
        "grow": found.grow,
    }


def read_df(text: str) -> Answer:
    """Mounts with their sizes in KiB; raises EvidenceError without a header line."""
    return {"df": [asdict(row) for row in parse_df(text)]}


def read_kdump(text: str) -> Answer:
    """Whether kdump is armed, memory held for it (MiB), a core's fate, and where cores go."""
    return asdict(parse_kdump(text))


def read_framebuffer(text: str) -> Answer:
    """Hyper-V video driver that is bound, and the mode that it printed."""
    return asdict(parse_video_log(text))


def read_panic(text: str) -> Answer:
    """Whether and why the kernel panicked, and the NMI that had no known reason."""
    return asdict(parse_panic(text))


def read_health(text: str) -> Answer:
    """Find the problems in a kernel log."""
    problems = [{"kind": found.kind, "line": found.line} for found in read_problems(text)]
    return {"healthy": not problems, "problems": problems}


TOPICS: Mapping[str, Callable[[str], Answer]] = {
    "mmio": read_mmio,
    "interrupts": read_interrupts,
    "balloon": read_balloon,
    "meminfo": read_meminfo,
    "vss": read_vss,
    "storage": read_storage,
    "df": read_df,
    "kdump": read_kdump,
    "framebuffer": read_framebuffer,
    "panic": read_panic,
    "health": read_health,
}
