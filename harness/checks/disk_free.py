"""What ``df`` says: size, use and room of every mounted file system, in KiB.

Read are coreutils (every language; ``-k -m -B -P -T -a -i --output=``; old releases that break a
row after a long device name), busybox, and BSD's columns. A table whose sizes carry a unit
(``-h``, ``-BG``) tells mounts and no sizes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from harness.checks.text import lines
from harness.errors import EvidenceError
from harness.evidence import Probe

Number = int | float
"""KiB; a fraction where the table counts in smaller blocks."""


@dataclass(frozen=True, slots=True)
class MountedSpace:
    """One row; None where the table does not tell (no size, or one rounded to a unit)."""

    mount: str
    size_kib: Number | None
    used_kib: Number | None
    avail_kib: Number | None


# Filesystem     1K-blocks    Used Available Use% Mounted on             coreutils, busybox
# Filesystem     1024-blocks      Used Available Capacity Mounted on     df -P
# Filesystem      Size  Used Avail Use% Mounted on                       df -h
_ENGLISH = re.compile(
    r"\b(?:Filesystem\s+(?=\d|Size|Type|Inodes|Used|Avail|Use%|Mounted on)"
    r"|Mounted on\s+(?=\d|Filesystem|Type|Size|Used|Avail|Use%))"
)
_BLOCK = re.compile(r"(?<![\w.%])(\d{1,7})([KMGTkmgt]?)(i?B)?(?![\dA-Za-z%.])")
_COLUMN = re.compile(
    r"\b(?:Mounted on|Filesystem|Type|Inodes|IUsed|IFree|IUse%|\d{1,7}[KMGTkmgt]?(?:i?B)?-blocks"
    r"|Size|Used|Available|Avail|Use%|Capacity|File)(?=\s|$)"
)
_POWER = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}

_FIELD = (
    r"(-|-?\d{1,20}(?:[.,]\d{1,3})?(?:[KMGTPEZYkmgt]i?B?|B)?"
    r"|\d{1,3}(?:[,.'\u00a0\u202f]\d{3}){1,6})"
)
# /dev/sda3      132013036 4367468 127645568   4% /          sysfs  0  0  0  - /sys
# overlay        132013036 4367468 127645568   4%   (mount on the next line: a mailer broke it)
_ROW = re.compile(
    rf"(?:^|\s){_FIELD}\s{{1,40}}{_FIELD}\s{{1,40}}{_FIELD}\s{{1,40}}(?:\d{{1,5}}%|-)(?=\s|$)"
    r"(?:\s{1,40}\d{1,20}\s{1,40}\d{1,20}\s{1,40}(?:\d{1,3}%|-)(?=\s))?"  # BSD: inodes
    r"(?:\s{1,40}(\S.{0,4200}))?$"
)
_NUMBER = re.compile(_FIELD)
_OPEN = re.compile(r"(?:\d%|\s-)$")  # ends where the mount should follow
_INODES = re.compile(r"[Ii]node|IUse|I-?[Nn]ode|Inœud|[Ии]нод|i节点|아이노드")
_BLOCKS_NAME = re.compile(r"\d{1,7}[KMGTkmgt]?(?:i?B)?-?\w*")
_PLAIN = re.compile(r"-?\d{1,20}")
_GROUPED = re.compile(r"\d{1,3}(?:[,.'\u00a0\u202f]\d{3})+")
_KERNEL = re.compile(r"\[ {0,6}\d{1,9}\.\d{4,6}\]")  # a kernel line written into the row
_LONGEST_PART = 400


def parse_df(text: str) -> tuple[MountedSpace, ...]:
    """Read the last table of sizes; raise EvidenceError when there is no header line."""
    shown: _Table | None = None
    current: _Table | None = None
    maybe: _Table | None = None  # under a line that only its rows can prove to be a header
    for line in lines(text):
        if _ENGLISH.search(line):
            maybe, current = None, _Table.under(line)
        elif _may_be_header(line):
            maybe = _Table.under(line)
            continue
        elif maybe is not None and maybe.feed(line):
            maybe, current = None, maybe
        elif current is not None:
            current.feed(line)
            continue
        if current is not None and (shown is None or shown.of_inodes or not current.of_inodes):
            shown = current
    if shown is None:
        raise EvidenceError("df", "header line", text)
    return tuple(shown.rows)


def _may_be_header(line: str) -> bool:
    """Whether a line may head a table.

    ``Dateisystem    1K-Blöcke Benutzt Verfügbar Verw% Eingehängt auf`` is one: the words differ by
    language, one of them always has a per cent sign.
    """
    if "%" not in line or len(line) > _LONGEST_PART:
        return False
    words = line.split()
    named = any("%" in word and not word.rstrip("%").isdigit() for word in words)
    return named and 4 <= len(words) <= 16 and not _ROW.search(line)


@dataclass(slots=True)
class _Table:
    """``block``: bytes of one number; None where the header tells none (``-h``, inodes)."""

    block: int | None
    columns: tuple[str, ...] = ()
    of_inodes: bool = False
    rows: list[MountedSpace] = field(default_factory=list)
    _part: str = ""  # a row so far, where it is broken

    @classmethod
    def under(cls, header: str) -> _Table:
        """Start the table that a header line announces."""
        found = _BLOCK.search(header)
        inodes = found is None and bool(_INODES.search(header))
        return cls(_block(found), _columns(header), inodes)

    def feed(self, line: str) -> bool:
        """Take a line; return whether it was (the end of) a row."""
        if self.columns:
            return self._by_column(line)
        if "%" not in line and " -" not in line and not _OPEN.search(self._part):
            self._part = line[:_LONGEST_PART]  # most lines of a log end here
            return False
        row = _ROW.search(line) or (_ROW.search(f"{self._part} {line}") if self._part else None)
        if row is not None and not row[4]:
            self._part = line
            return False
        self._part = "" if row else line[:_LONGEST_PART]
        if row is not None:
            self._add(row[4], row[1], row[2], row[3])
        return row is not None

    def _by_column(self, line: str) -> bool:
        """Read a row of ``df --output=``: columns in the order asked for."""
        words = line.split(None, len(self.columns) - 1)
        if len(words) != len(self.columns) or self.columns[-1] != "Mounted on":
            words = line.split()
        if len(words) != len(self.columns):
            return False
        found = dict(zip(self.columns, words, strict=True))
        sizes = [found.get(name, "-") for name in ("size", "Used", "Avail")]
        mount = found["Mounted on"]
        if not mount.startswith("/") or not all(_NUMBER.fullmatch(size) for size in sizes):
            return False
        self._add(mount, *sizes)
        return True

    def _add(self, mount: str, size: str, used: str, avail: str) -> None:
        mount = _KERNEL.split(mount, maxsplit=1)[0].strip()
        if mount and mount != "-":  # the sum of --total
            self.rows.append(
                MountedSpace(mount, self._kib(size), self._kib(used), self._kib(avail))
            )

    def _kib(self, printed: str) -> Number | None:
        if self.block is None:
            return None
        if _GROUPED.fullmatch(printed):
            printed = re.sub(r"\D", "", printed)
        if not _PLAIN.fullmatch(printed):
            return None
        total = int(printed) * self.block
        return total // 1024 if total % 1024 == 0 else total / 1024


def _block(found: re.Match[str] | None) -> int | None:
    """Return the bytes of ``1K``, ``1024``, ``512``, ``1M``; ``1kB`` counts in powers of 1000."""
    if found is None:
        return None
    base = 1000 if found[2] and found[3] == "B" else 1024
    return int(found[1]) * int(base ** _POWER[found[2].upper()])


def _columns(header: str) -> tuple[str, ...]:
    """Return the columns of ``df --output=``; () where they are in df's usual order."""
    names = [_BLOCKS_NAME.sub("size", name[0]) for name in _COLUMN.finditer(header)]
    names = [{"Size": "size", "Available": "Avail"}.get(name, name) for name in names]
    usual = [name for name in names if name not in ("Filesystem", "Type")]
    as_usual = len(usual) == 5 and (usual[0], usual[-1]) == ("size", "Mounted on")
    return () if as_usual or "Mounted on" not in names else tuple(names)


DISK_FREE = Probe(("df", "-P", "-k"), parse_df)
"""POSIX form: one row a line, blocks of 1024 bytes, whatever the locale and BLOCK_SIZE say."""
