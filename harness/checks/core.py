"""A core that a crash left: its file, its header, and the log of the kernel that died.

Formats: makedumpfile's diskdump_mod.h (kdump-compressed) and makedumpfile.h (flattened).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from harness.errors import EvidenceError
from harness.evidence import Probe

HEAD = 1 << 16
"""Bytes of a core that are read to tell what it is."""

FLAT, FLAT_HEADER = b"makedumpfile\0\0\0\0", 4096
FLAT_RECORD = struct.Struct(">qq")
FLAT_END = b"\xff" * FLAT_RECORD.size
KDUMP, ELF = b"KDUMP   ", b"\x7fELF"
UTSNAME, WORD = 12, 65
STATUS = 424
INCOMPLETE_STATUS, INCOMPLETE_FLAG = 0x8, 0x1
_OS_RELEASE = re.compile(rb"OSRELEASE=([\x21-\x7e]{1,64})\n")
_CORE = re.compile(r"(?:vmcore|dump\.)(?!-?dmesg)")
NOT_CORES = ("dmesg", ".txt", ".log")


@dataclass(frozen=True, slots=True)
class CoreFile:
    """A file in the folder of dumps; size in bytes."""

    path: str
    size: int

    @property
    def name(self) -> str:
        """Return its name without folders."""
        return self.path.rpartition("/")[2]

    @property
    def incomplete(self) -> bool:
        """Whether its name says that the dump was not finished."""
        return "incomplete" in self.name


def parse_files(text: str) -> tuple[CoreFile, ...]:
    """Read ``SIZE PATH`` lines as find printed them; those of cores only, by their names."""
    found = []
    for line in text.splitlines():
        size, _, path = line.partition(" ")
        if not size.isdigit() or not path.startswith("/"):
            raise EvidenceError("files of dumps", "size and path in each line", text)
        file = CoreFile(path, int(size))
        is_log = any(mark in file.name for mark in NOT_CORES)
        if (_CORE.match(file.name) or file.incomplete) and not is_log:
            found.append(file)
    return tuple(found)


def cores(folder: str) -> Probe[tuple[CoreFile, ...]]:
    """Ask for every core below a folder; none where there is no such folder."""
    argv = ("find", folder, "-xdev", "-type", "f", "-printf", "%s %p\\n")
    return Probe(argv, parse_files, privileged=True, fails_ok=True)


@dataclass(frozen=True, slots=True)
class CoreHeader:
    """What a core says of itself. ``flattened``: written as a stream, to be put in order first."""

    format: str
    release: str
    flattened: bool = False
    incomplete: bool = False


def head(path: str) -> Probe[CoreHeader]:
    """Ask for a core's beginning."""
    argv = ("od", "-A", "n", "-t", "x1", "-v", "-N", str(HEAD), "--", path)
    return Probe(argv, parse_header, privileged=True)


def tail(file: CoreFile) -> Probe[bool]:
    """Ask for the end of a flattened core: whether its writer came to the end."""
    start = max(0, file.size - len(FLAT_END))
    argv = ("od", "-A", "n", "-t", "x1", "-v", "-j", str(start), "--", file.path)
    return Probe(argv, lambda text: parse_bytes(text) == FLAT_END, privileged=True)


def parse_bytes(text: str) -> bytes:
    """Read ``od -A n -t x1 -v``."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise EvidenceError("core", "hexadecimal bytes", text) from None


def parse_header(text: str) -> CoreHeader:
    """Read the beginning of a core; raise EvidenceError when it is none that we know."""
    raw = parse_bytes(text)
    flattened = raw.startswith(FLAT)
    start = _unflattened(raw) if flattened else raw
    if start.startswith(KDUMP):
        return _compressed(start, text, flattened=flattened)
    if start.startswith(ELF):
        return _elf(start, text, flattened=flattened)
    raise EvidenceError("core", "header of a core (KDUMP or ELF)", text[:200])


def _unflattened(raw: bytes) -> bytes:
    """Put the records in place as far as they were read; gaps are zeros."""
    placed, at = bytearray(HEAD), FLAT_HEADER
    while at + FLAT_RECORD.size <= len(raw):
        offset, size = FLAT_RECORD.unpack_from(raw, at)
        at += FLAT_RECORD.size
        if offset < 0 or size < 0:
            break
        if offset < HEAD:
            piece = raw[at : at + min(size, HEAD - offset)]
            placed[offset : offset + len(piece)] = piece
        at += size
    return bytes(placed)


def _compressed(raw: bytes, text: str, *, flattened: bool) -> CoreHeader:
    if len(raw) < STATUS + 4:
        raise EvidenceError("core", "whole header", text[:200])
    release = (
        raw[UTSNAME + 2 * WORD : UTSNAME + 3 * WORD].partition(b"\0")[0].decode("ascii", "replace")
    )
    status = int.from_bytes(raw[STATUS : STATUS + 4], "little")
    return CoreHeader("kdump", release, flattened, bool(status & INCOMPLETE_STATUS))


def _elf(raw: bytes, text: str, *, flattened: bool) -> CoreHeader:
    found = _OS_RELEASE.search(raw)
    if len(raw) < 64 or found is None:
        raise EvidenceError("core", "OSRELEASE among its notes", text[:200])
    flags = int.from_bytes(raw[48:52], "little")
    return CoreHeader("elf", found[1].decode(), flattened, bool(flags & INCOMPLETE_FLAG))
