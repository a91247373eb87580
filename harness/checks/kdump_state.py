"""Is kdump armed, with how much memory, was a core saved, and where do cores go?

Read are what kdump's own tools print (kdump-config of Debian and Ubuntu, kdumpctl and kdump.sh of
RHEL and Fedora, load.sh and kdump-save of SUSE, kexec, makedumpfile), their services, their
configuration files, and the kernel's words on the reservation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from harness.checks.boots import Boots
from harness.checks.crash_memory import ReservationScan
from harness.checks.crash_target import target_named
from harness.checks.service import Said, ServiceScan
from harness.checks.text import records

Target = Literal["local", "ssh", "nfs"]


@dataclass(frozen=True, slots=True)
class KdumpState:
    """``reserved_mib``: the main reservation; every field is None where the text does not say."""

    ready: bool | None = None
    reserved_mib: int | None = None
    saved: bool | None = None
    target: Target | None = None


_SERVICE = re.compile(
    r"\bkdump(?:-tools|-early)?(?:\.service\b|(?![\w.:/-]))|\bCrash recovery kernel arming"
    r"|\bKernel crash dump capture service|\bLoad kdump kernel"
)
_READY = re.compile(
    r"current state\s{0,8}: {0,8}ready to (?:kdump|fadump)"  # kdump-config show, status
    r"|\bKdump is operational|\bKdump already running|Starting kdump: {0,80}\[ {0,3}OK"  # kdumpctl
    r"|\b[Ll]oaded kdump kernel|fadump:? (?:re-)?registered successfully|^Registered fadump"
)
_NOT_READY = re.compile(
    r"current state\s{0,8}: {0,8}Not ready to|\bKdump is not operational|\bunloaded kdump kernel"
    r"|Starting kdump: {0,80}\[ {0,3}FAILED|Stopping kdump: {0,80}\[ {0,3}OK"
    r"|failed to load kdump kernel|^kexec failed|\bKdump was not running"
    r"|[Mm]emory for crashkernel is not reserved|No memory reserved for crash kernel"
    r"|No crashkernel memory reserved|no crashkernel= parameter in the kernel cmdline"
    r"|USE_KDUMP is not set or zero|kdump is not supported by this kernel"
    r"|fadump: failed to register|fadump registering failed|FAILED to register fadump"
    r"|fadump:? un-?registered successfully"
    # kexec-tools
    r"|kexec(?:_file)?_load failed|Could not find a free area of memory|locate_hole failed"
)
_SAVED = re.compile(
    r"\b[Ss]aved vmcore\b|\b[Ss]aving (?:vm)?core complete|\bDump saved to \S"
    r"|\bThe dumpfile is saved to (?!STDOUT)(?!\S{0,200}incomplete)\S"
    r"|\bvmcore status: saved successfully"
)
_NOT_SAVED = re.compile(
    r"\b[Ss]aving (?:vm)?core failed|[Ff]ailed (?:to save|saving) vmcore|\bmakedumpfile Failed"
    r"|\. Cannot save core|Unable to reach remote server .{1,80}; can't continue"
    r"|vmcore file will {1,2}not be available|(?:sync|moving) vmcore failed"
    r"|/proc/vmcore does not exist; kdump|Failed to start Kdump Vmcore Save"
    r"|failed to dump to '|\bvmcore status: (?:error|deleted)|^Deleting vmcore$"
)
_SAVING = re.compile(
    r"kdump: saving vmcore$|running makedumpfile (?!--dump-dmesg)|sending makedumpfile "
    r"|^Kernel panic - not syncing"
)
_SCRIPT = re.compile(r'"[^"]*\$[\w{]')
"""Of a line of source text: a quoted variable; what a tool prints has its value in place of it."""
_PIECES = (
    "ump", "KDUMP", "kexec", "rash", "core", "eserv", "Kernel panic", "Linux version",
    "mmand line:", "free area of memory", "locate_hole", "Active", "ctive", "failed", "unknown",
)  # fmt: skip
"""One of them is in every text that a pattern here reads; most lines hold none."""
_SHORT = 15
"""A line up to this length may be a bare answer: ``active``, ``268435456``."""


def parse_kdump(text: str) -> KdumpState:
    """Read the last state of the last boot; the boot of a capture kernel is none of its own."""
    scan = _Scan()
    for record in records(text):
        scan.feed(record.message)
    return scan.state


@dataclass(slots=True)
class _Boot:
    """What was said in one boot; a service that ended well proves nothing after its tool failed."""

    said: bool | None = None
    reservation: ReservationScan = field(default_factory=ReservationScan)
    service: ServiceScan = field(default_factory=lambda: ServiceScan(_SERVICE))
    _tool_failed: bool = False

    @property
    def ready(self) -> bool | None:
        """What was said; a reservation that was refused, and not given later, lets none run."""
        return False if self.said is None and self.reservation.refused else self.said

    def feed(self, message: str) -> None:
        self.reservation.feed(message)
        if _NOT_READY.search(message):
            self.said, self._tool_failed = False, True
        elif _READY.search(message):
            self.said, self._tool_failed = True, False
        else:
            self._take_service(self.service.feed(message))

    def _take_service(self, said: Said | None) -> None:
        if said == "starts":
            self._tool_failed = False
        elif said == "runs":
            self.said = not (self._tool_failed or self.reservation.refused)
        elif said is not None:
            self.said = False


class _Scan:
    """One pass over the messages."""

    def __init__(self) -> None:
        self.target: Target | None = None
        self.saved: bool | None = None
        self._boots = Boots(_Boot)

    @property
    def state(self) -> KdumpState:
        now = self._boots.now
        return KdumpState(now.ready, now.reservation.mib, self.saved, self.target)

    def feed(self, message: str) -> None:
        if target := target_named(message):
            self.target = None if target == "other" else target
        if len(message) > _SHORT and not any(piece in message for piece in _PIECES):
            return
        self._boots.feed(message)
        self._take_core(message)
        self._boots.now.feed(message)

    def _take_core(self, message: str) -> None:
        if _SCRIPT.search(message):
            return
        if _NOT_SAVED.search(message):
            self.saved = False
        elif _SAVED.search(message):
            self.saved = True
        elif _SAVING.search(message):
            self.saved = None
