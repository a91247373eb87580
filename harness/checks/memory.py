"""Dynamic memory: what host and guest say of it, and the log of samples that is judged.

A sample is the host's figure, the guest's, and the host's again. The log holds the lines of both
verbatim, one sample a line as JSON, so that a stored run can be judged again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.memory_info import parse_memory_info
from harness.errors import EvidenceError
from harness.evidence import Probe
from harness.series import Series
from harness.units import Bytes, KiB, MiB

BALLOON_FILE = "/sys/kernel/debug/hv-balloon"
ASKED = "(MemTotal|MemFree|MemAvailable|page_size|pages_added|pages_ballooned)"
HOST_LINES = ("State", "MemoryAssigned", "MemoryDemand", "MemoryStatus")


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings of dynamic memory; ``buffer`` in percent, ``priority`` 0 to 100."""

    startup: Bytes = bounds.DM_STARTUP
    minimum: Bytes = bounds.DM_MINIMUM
    maximum: Bytes = bounds.DM_MAXIMUM
    buffer: int = bounds.DM_BUFFER
    priority: int = bounds.DM_PRIORITY


@dataclass(frozen=True, slots=True)
class HostMemory:
    """What Get-VM says: ``demand`` is 0 while the guest has not reported; ``status`` its text."""

    assigned: Bytes
    demand: Bytes
    status: str
    state: str


@dataclass(frozen=True, slots=True)
class GuestMemory:
    """What the guest's kernel says; ``moved``: pages added less ballooned, where it tells."""

    total: Bytes
    available: Bytes
    moved: Bytes | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """``at``: seconds since the first sample; ``phase``: what the case was doing."""

    at: float
    phase: str
    before: HostMemory
    guest: GuestMemory
    after: HostMemory

    def view(self, first: Sample) -> Bytes:
        """Return by how much the guest's memory has changed since the first sample.

        The driver's own count where it tells, else MemTotal: what the kernel keeps for itself
        cancels out of both.
        """
        if self.guest.moved is not None and first.guest.moved is not None:
            return self.guest.moved - first.guest.moved
        return self.guest.total - first.guest.total

    def given(self, first: Sample) -> Bytes:
        """Return by how much the host's figure has changed since the first sample."""
        return self.after.assigned - first.after.assigned


def parse_host_memory(text: str) -> HostMemory:
    """Read the memory lines of Get-VM, e.g. ``MemoryAssigned : 805306368``."""
    found = dict(re.findall(r"^(\w+)\s*: ?(.*?)\s*$", text, re.MULTILINE))
    if missing := [name for name in HOST_LINES if name not in found]:
        raise EvidenceError("Get-VM", ", ".join(missing), text)
    return HostMemory(
        assigned=_whole(found, "MemoryAssigned", text),
        demand=_whole(found, "MemoryDemand", text),
        status=found["MemoryStatus"],
        state=found["State"].partition(" ")[0],
    )


def _whole(found: dict[str, str], name: str, text: str) -> Bytes:
    if not found[name].isdecimal():
        raise EvidenceError("Get-VM", f"number of bytes in {name}", text)
    return Bytes(int(found[name]))


def parse_guest_memory(text: str) -> GuestMemory:
    """Read /proc/meminfo (``MemTotal:  755428 kB``) and hv-balloon (``pages_added : 32768``).

    A kernel before 3.14 has no MemAvailable: MemFree stands in for it.
    """
    info = parse_memory_info(text)
    available = info.free if info.available is None else info.available
    if available is None:
        raise EvidenceError("/proc/meminfo", "MemAvailable or MemFree", text)
    pages = {n: int(v) for n, v in re.findall(r"^(page\w+)\s*: *(\d+)$", text, re.MULTILINE)}
    moved = None
    if pages:
        if missing := {"page_size", "pages_added", "pages_ballooned"} - pages.keys():
            raise EvidenceError(BALLOON_FILE, ", ".join(sorted(missing)), text)
        moved = Bytes((pages["pages_added"] - pages["pages_ballooned"]) * pages["page_size"])
    return GuestMemory(info.total * KiB, available * KiB, moved)


def guest_memory(*, balloon: bool) -> Probe[GuestMemory]:
    """Ask for the lines that count; ``balloon``: of the driver's file, too (it is there)."""
    files = ("/proc/meminfo", *((BALLOON_FILE,) if balloon else ()))
    argv = ("grep", "-hE", f"^{ASKED} *:", *files)
    return Probe(argv, parse_guest_memory, privileged=balloon)


BALLOON_DRIVER = Probe(
    ("cat", BALLOON_FILE), lambda text: "pages_added" in text, privileged=True, fails_ok=True
)
"""Whether the driver tells what it added and took (since kernel 5.19, with debugfs mounted)."""


def parse_uptime(text: str) -> float:
    """Read /proc/uptime, ``53.21 98.10``: seconds since boot."""
    found = re.match(r"(\d+\.\d+) ", text)
    if not found:
        raise EvidenceError("/proc/uptime", "seconds", text)
    return float(found[1])


UPTIME = Probe(("cat", "/proc/uptime"), parse_uptime)


def parse_block_size(text: str) -> Bytes:
    """Read the size of a memory block, hexadecimal without prefix: ``8000000``."""
    if not re.fullmatch(r"[0-9a-f]{4,12}", text.strip()):
        raise EvidenceError("block_size_bytes", "hexadecimal number", text)
    return Bytes(int(text.strip(), 16))


BLOCK_SIZE = Probe(("cat", "/sys/devices/system/memory/block_size_bytes"), parse_block_size)


def parse_offline(text: str) -> int:
    """Count the blocks that are off-line, of ``/sys/devices/system/memory/memory6/state:offline``.

    Raises EvidenceError where no block is listed: then nothing is known of them.
    """
    states: list[str] = re.findall(r"/memory\d+/state:(\S+)$", text, re.MULTILINE)
    if not states:
        raise EvidenceError("memory blocks", "state of a block", text)
    return sum(state == "offline" for state in states)


OFFLINE_BLOCKS = Probe(
    ("grep", "-r", "--include=state", ".", "/sys/devices/system/memory"), parse_offline
)


def host_lines(answer: str) -> str:
    """Return those lines of a host's answer that a sample holds."""
    wanted = re.compile(rf"(?:{'|'.join(HOST_LINES)})\s*:")
    return "\n".join(line for line in answer.splitlines() if wanted.match(line))


def render_sample(at: float, phase: str, before: str, guest: str, after: str) -> str:
    """Return one line of the log; the three texts are verbatim."""
    row = {"at": round(at, 3), "phase": phase, "host": before, "guest": guest, "again": after}
    return json.dumps(row)


def parse_samples(text: str) -> tuple[Sample, ...]:
    """Read a log of samples; an empty one is no answer."""
    samples = tuple(_sample(line) for line in text.splitlines() if line.strip())
    if not samples:
        raise EvidenceError("memory samples", "sample", text)
    return samples


def _sample(line: str) -> Sample:
    try:
        row = json.loads(line)
        at, phase, *texts = (row[key] for key in ("at", "phase", "host", "guest", "again"))
    except (ValueError, KeyError, TypeError) as broken:
        raise EvidenceError("memory samples", f"sample ({broken})", line) from None
    return Sample(
        float(at),
        str(phase),
        parse_host_memory(texts[0]),
        parse_guest_memory(texts[1]),
        parse_host_memory(texts[2]),
    )


def block_of(size: Bytes) -> Bytes:
    """Return the block that counts: what the guest shows, at least 128 MiB."""
    return max(size, bounds.DM_BLOCK)


def curves(samples: Iterable[Sample]) -> tuple[Series, ...]:
    """Return what a report draws: assigned, demand, and the guest's memory, in MiB over seconds."""
    taken = tuple(samples)
    if not taken:
        return ()
    first = taken[0]

    def curve(name: str, of: Iterable[Bytes]) -> Series:
        mib = (round(size.count / MiB.count, 1) for size in of)
        return Series(name, "MiB", tuple(zip((s.at for s in taken), mib, strict=True)))

    return (
        curve("assigned", (s.after.assigned for s in taken)),
        curve("demand", (s.after.demand for s in taken)),
        curve("guest view", (first.after.assigned + s.view(first) for s in taken)),
        curve("available in the guest", (s.guest.available for s in taken)),
    )
