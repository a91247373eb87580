"""Cleaning that every parser shares: what carried the text is taken off, what was said stays.

Serial consoles bring CRLF and terminal escapes, loggers and test tools bring prefixes, mail brings
quoting and wrapped lines, two writers on one console bring lines inside lines. Everything here is
one pass; every pattern is bounded, so a hostile line costs no more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.checks.envelope import opened

PIECE = 16_384
"""Longest line that is kept whole; longer ones are read in pieces of this many characters."""

_ESCAPE = re.compile(
    r"\x1b\[[0-?]{0,32}[ -/]{0,4}[@-~]"  # ESC[0;32m
    r"|\x1b\][^\x07\x1b\n]{0,256}(?:\x07|\x1b\\)"  # ESC]0;title BEL
    r"|\x1b[ -/]{0,2}[0-~]"  # ESC(B
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\x1b]")
_QUOTE = re.compile(r"(?:[ \t]{0,3}[>|][ \t]?){1,16}(?=[^>|-]|$)")  # "> > text", no "->handler"

# 2025-12-18 21:32:52.340[1000][DEBUG] lisa.env[x].node[0].cmd[1626].stdout [    0.000000] Linux
# 2025-06-03T16:02:28.126Z COM1| [    0.000000] Linux
# [2025-06-03 16:02:28] [    0.000000] Linux
_DATE = r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?"
_LOGGER = re.compile(
    rf"{_DATE}(?:[ \t]{{0,3}}(?!\[ {{0,6}}\d{{1,9}}\.\d{{4,6}}\])\[[\w .:-]{{1,24}}\]){{0,4}}"
    r"(?:[ \t]{1,3}[\w.\[\]/:-]{1,160}(?:\.std(?:out|err)|\|))?(?:[ \t]|$)"
)

# 16:02:28.123 text        [16:02:28] text        Jun 11 20:16:31 text (ts)        ttyS0: text
_MONTH = r"(?:[^\W\d_]{2,9}\.?|\d{1,2}月)"
_TIME = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_CLOCK = re.compile(
    rf"[ \t]{{0,3}}(?:\[?{_TIME}\]?|{_MONTH} {{1,2}}\d{{1,2}} {_TIME}"
    r"|(?:tty[A-Z]{1,4}|hvc|COM)\d{1,2}[:|])(?:[ \t]|$)"
)
_MAY_BE_LOGGER = re.compile(r"[\[ \t]{0,4}(?:\d|[^\W\d_]{2,9}\.? {1,2}\d|tty|hvc|COM)")

# Jun 11 20:16:31 hyperv kernel: text        2025-06-03T16:02:28.126191+00:00 vm1 kernel: text
# Fri 2021-06-11 20:16:31 UTC vm1 kernel: text        1623442591.123456 vm1 kernel: text
# Jan  1 00:00:07 vm1 kern.info kernel: text (busybox)        июн 11 20:16:31 vm1 kernel: text
# 2025-12-18 21:32:52 pci_bus 0000:00: text is none: a logger's date, then the message
_WHEN = (
    rf"(?:{_MONTH} {{1,2}}\d{{1,2}} (?:\d{{4}} )?{_TIME}|\d{{10}}\.\d{{3,9}}"
    rf"|\d{{4}}-\d\d-\d\dT{_TIME}[+-]\d\d:?\d\d)"
)
_WHEN_BY_ANY = rf"(?:[^\W\d_]{{2,4}}\.? )?{_DATE}(?: [A-Z]{{2,5}})?"
_HOST = r"[\w.:@/-]{1,80} (?:[a-z]\w{2,8}\.[a-z]{3,7} )?"
_TAG = r"[^\W\d][\w./()@-]{0,63}"
_SYSLOG = re.compile(
    rf"\s{{0,8}}(?:<\d{{1,3}}>(?:1 )?)?(?:(?:{_WHEN}|{_WHEN_BY_ANY}) (?:{_HOST})?(?P<kernel>kernel)"
    r"(?:\[\d{1,8}\])?(?:: ?| - - - )"  # the second: RFC 5424
    rf"|{_WHEN} {_HOST}{_TAG}(?:\[\d{{1,8}}\])?: ?|{_WHEN_BY_ANY} {_HOST}{_TAG}\[\d{{1,8}}\]: ?)"
)
_BARE_TAG = re.compile(r"\s{0,8}kernel: ?(?=\S)")  # what is left of one, or of a wall message
# [    0.123456] vm1 kernel: text        [    0.123456] vm1 sshd[99]: text      (short-monotonic)
_JOURNAL = re.compile(r"[\w.-]{1,80} (?:kernel: |(?P<other>[\w./()@-]{1,64}\[\d{1,8}\]: ))")
# [    3.557155] systemd[1]: text  (a program's line in the kernel log); not dpkg[9]: segfault at 0
_PROGRAM = re.compile(
    r"[\w./()@-]{1,64}\[\d{1,8}\]: (?!segfault |unhandled |trap |bad frame|general protection)"
)

# [    0.123456]    <4>[ 1867.869071]    [  12.3456][  T123]    kern  :warn  : [    1.000000]
_STAMP = re.compile(
    r"(?:<\d{1,3}>|\b[a-z]{2,8} {0,3}:[a-z]{2,7} {0,3}: )?(?<!['\"`])"  # not where it is quoted
    r"\[[ \ufffd]{0,6}(?P<seconds>\d{1,9}\.\d{4,6})(?: <[ \d.]{1,20}>)?\]"
    r"(?: ?\[ {0,6}[TC]\d{1,7}\])?(?=[\s\ufffd]|$)[ \ufffd]?"
)
# [Thu Jun 11 20:16:31 2021] text (dmesg -T)    [Jun11 20:16] text, [  +0.000003] text (dmesg -H)
_CTIME = re.compile(
    rf"\s{{0,8}}(?:[a-z]{{2,8}} {{0,3}}:[a-z]{{2,7}} {{0,3}}: )?\[(?:[^\W\d_]{{1,5}}\.? {_MONTH}"
    r" [ \d]\d \d\d:\d\d:\d\d \d{4}(?: <[ \d.+]{1,20}>)?"
    rf"|{_MONTH}[ \d]{{1,2}}\d \d\d:\d\d| {{1,7}}\+\d{{1,6}}\.\d{{4,6}}|<[ \d.]{{1,20}}>)\] "
)
_LEVEL = re.compile(r"<\d{1,3}>")
_BLANK = re.compile(r"\n(?:(?P<empty>[\r\n]{0,1000000})\n)?")  # a run of empty lines is one
_PANIC = "Kernel panic - not syncing: "
_WRAP_FROM, _WRAP_TO = 68, 82
_SOFT_BREAK = range(70, 78)  # how wide quoted-printable mail is where it ends a line with =
_CARRIER = re.compile(
    r"(?:.{0,160}(?:\.std(?:out|err)|[|:>-]))?\s{0,3}$"
)  # what may precede a stamp
# vm1 login:    [  OK  ] Started    [root@vm1 ~]#    root@vm1:~#    $ ls    ---    * Starting
_OF_ITS_OWN = re.compile(
    r"\s{0,20}(?:\S{1,64} login:|\[\s{0,3}(?:OK|FAILED|DEPEND|WARN)|\[?[\w.-]{1,32}@[\w.-]{1,64}\W"
    r"|[#$*●○×] |[-=_]{3}|Password:|(?:Start|Stopp|Mount)ing |(?:Start|Stopp|Mount)ed )"
)


@dataclass(frozen=True, slots=True)
class Record:
    """One logged message. ``seconds`` is the kernel's time stamp, None where there is none.

    ``by_kernel``: a time stamp or a ``kernel:`` tag proves it; ``other``: another program's tag
    proves the opposite; neither is known of a bare line. ``line`` is the cleaned line it was on.
    """

    message: str
    line: str
    seconds: float | None = None
    by_kernel: bool = False
    other: bool = False


def decode(raw: bytes) -> str:
    """Decode UTF-8; what is not UTF-8 becomes a replacement character.

    A byte order mark of UTF-16 (PowerShell's ``>`` writes that) is obeyed where zero bytes bear it
    out: line noise may look like one.
    """
    sample = raw[2:258]
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) and sample.count(0) * 3 > len(sample):
        return raw.decode("utf-16", errors="replace")
    return raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace")


def lines(text: str) -> Iterator[str]:
    """Yield lines without line ends, terminal escapes, mail quoting and loggers' prefixes."""
    for line in (inside for raw in _split(text) for inside in opened(raw)):
        yield _bare(line)


def _bare(line: str) -> str:
    if "\x1b" in line:
        line = _ESCAPE.sub("", line)
    if not line.isprintable():
        line = _CONTROL.sub("", line.replace("\xa0", " "))
    if (">" in line[:8] or "|" in line[:8]) and (quote := _QUOTE.match(line)):
        line = line[quote.end() :]
    if _MAY_BE_LOGGER.match(line) and not _SYSLOG.match(line):
        logger = _LOGGER.match(line) or _CLOCK.match(line)
        line = line[logger.end() :] if logger else line
    return line.rstrip().removesuffix("=20")


def records(text: str) -> Iterator[Record]:
    """Yield every message of a kernel log, wrapped lines joined, interleaved lines apart."""
    for line in _unwrapped(lines(text)):
        yield from _messages(line)


def _split(text: str) -> Iterator[str]:
    """Yield physical lines, and an empty one where a paragraph ends.

    In a text with an empty line after each line, one of them ends nothing.
    """
    start, size, spaced = 0, len(text), True
    while start < size:
        end = text.find("\n", start)
        end = size if end < 0 else end
        for piece in range(start, end, PIECE):
            part = text[piece : min(piece + PIECE, end)].rstrip("\r")
            yield from part.split("\r") if "\r" in part else (part,)
        blank = _BLANK.match(text, end)
        start = blank.end() if blank else size
        empty = blank["empty"].count("\n") + 1 if blank and blank["empty"] is not None else 0
        if empty > int(spaced):
            yield ""
        spaced = bool(empty)


def _prefixed(line: str) -> bool:
    line = line[:200].lstrip()
    return bool(
        _STAMP.search(line) or _SYSLOG.match(line) or _CTIME.match(line) or _BARE_TAG.match(line)
    )


def _unwrapped(cleaned: Iterator[str]) -> Iterator[str]:
    """Join a line that a mail client broke near 72 to 80 columns.

    Only after a line that begins as log lines do, or after a bare panic where the next begins in
    lower case as no line of the kernel's does there; and only where the next word did not fit. A
    message that breaks off inside ``[mem`` is not over either way.
    """
    held, width = "", 0  # width: of the last physical line of what is held
    for line in cleaned:
        if held and line.strip() and _continues(held, width, line):
            soft = held.endswith("=") and width in _SOFT_BREAK
            held, width = _joined(held, line.strip(), soft=soft), len(line)
            continue
        if held:
            yield held
        held, width = "", 0
        if _may_be_broken(line):
            held, width = line, len(line)
        elif line:
            yield line
    if held:
        yield held


def _may_be_broken(line: str) -> bool:
    """Whether a mailer may have broken the line: not one that another writer was broken into by."""
    if line.endswith(("[mem", "-", "resource")):
        return True
    if not _prefixed(line):
        return line.startswith(_PANIC)
    stamp = _STAMP.search(line[:200])
    return not stamp or _CARRIER.match(line[: stamp.start()].lstrip()) is not None


def _joined(held: str, more: str, *, soft: bool) -> str:
    return held[:-1] + more if soft else f"{held} {more}"


def _continues(held: str, width: int, line: str) -> bool:
    if len(held) > PIECE or _prefixed(line) or _OF_ITS_OWN.match(line):
        return False
    if held.startswith(_PANIC) and not line[0].islower():
        return False
    if held.endswith(("[mem", " resource")):
        return True
    word = line.split(None, 1)[0]
    return width < _WRAP_TO and width + 1 + len(word) > _WRAP_FROM


def _messages(line: str) -> Iterator[Record]:
    start, kernel, other = _tagged(line)
    seconds: float | None = None
    for stamp in _STAMP.finditer(line, start):
        if text := line[start : stamp.start()].strip():
            yield Record(text, line, seconds, kernel, other)
        start, seconds, kernel, other = stamp.end(), float(stamp["seconds"]), True, False
        if journal := _JOURNAL.match(line, start):
            start = journal.start("other") if journal["other"] else journal.end()
        other = bool(_PROGRAM.match(line, start))
    level = _LEVEL.match(line, start)
    if text := line[level.end() if level else start :].strip():
        yield Record(text, line, seconds, kernel and not other, other)


def _tagged(line: str) -> tuple[int, bool, bool]:
    """Return where the text begins, and whether the kernel's or another's tag stands before it."""
    if tag := _SYSLOG.match(line):
        return tag.end(), bool(tag["kernel"]), not tag["kernel"]
    if date := _CTIME.match(line):
        return date.end(), True, bool(_PROGRAM.match(line, date.end()))
    if bare := _BARE_TAG.match(line):
        return bare.end(), True, False
    return 0, False, False
