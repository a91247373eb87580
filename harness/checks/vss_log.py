"""Does the guest's VSS daemon run, and which file systems could it not freeze?

The daemon is hv_vss_daemon of the kernel's tools/hv, packaged as hypervvssd (RHEL, Fedora),
hv-vss-daemon (Ubuntu), hyperv-daemons.hv-vss-daemon (Debian), hv_vss_daemon (SUSE, Arch). Its own
lines::

    Hyper-V VSS: VSS starting; pid is:1035
    Hyper-V VSS: VSS: freeze of /mnt/squash: Operation not supported          (3.9 to 4.7)
    Hyper-V VSS: FREEZE of /mnt/squash failed; error:95 Operation not supported        (since 4.2)

The kernel's "VSS IC version" is the device's, not the daemon's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.checks.boots import Boots
from harness.checks.service import ServiceScan
from harness.checks.text import records

_DAEMON = r"(?:hypervvssd|hv_vss_daemon|(?:hyperv-daemons\.)?hv-vss-daemon)"
_ABOUT = re.compile(
    rf"\b{_DAEMON}\b|\bHyper-V VSS (?:Protocol )?[Dd]aemon|\bHyper-V [Vv]olume [Ss]hadow [Cc]opy"
)
_PROCESS = re.compile(
    # root  913  0.0  0.0  4340  852 ?  Ss  10:00  0:00 /usr/sbin/hypervvssd -n      └─1035 /usr/…
    rf"^(?!.{{0,200}}(?:ExecStart|\bgrep\b)).{{0,200}}\d\s(?:/usr)?/s?bin/{_DAEMON}(?:\s-\S{{1,20}})*$"
    # [  913]     0   913     1085       16    53248        0             0 hypervvssd
    rf"|^\[ {{0,6}}\d{{1,8}}\](?:\s{{1,12}}-?\d{{1,12}}){{4,10}} {_DAEMON}$"
)
_OWN = re.compile(
    r"\bVSS starting; pid is|\bVSS: kernel module version|\bVSS: op=\w|\bVSS: \w+ of /"
)
_OWN_END = re.compile(
    r"\bopen /dev/vmbus/hv_vss failed|\bHyper-V VSS(?:\[\d{1,8}\])?: (?:read|write) failed"
)
_FREEZE = re.compile(
    r"\bVSS: freeze of [`'\"]?(?P<mount>/.{0,400}): (?P<error>[^:%]{1,120}?)[`'\"]?$"
    r"|\bFREEZE of (?P<mount2>/.{0,400}) failed; error: ?(?P<number>-?\d{1,6})"
    r" ?(?P<error2>[^:%]{0,120})$"
)
_FREEZE_CUT = re.compile(
    r"\bVSS: freeze of [`'\"]?/.{0,400}:$|\bFREEZE of /.{0,400}(?: failed;?)?$"
)


@dataclass(frozen=True, slots=True)
class FreezeFailure:
    """``error`` as logged: the C library's text, or the number where there is none."""

    mount: str
    error: str


@dataclass(frozen=True, slots=True)
class VssLog:
    """``active``: at the end of the text; None where nobody says."""

    active: bool | None
    freeze_failures: tuple[FreezeFailure, ...]


def parse_vss_log(text: str) -> VssLog:
    """Read a console log, a journal, or the answers of a service manager."""
    scan = _Scan()
    for record in records(text):
        scan.feed(record.message)
    return VssLog(scan.service.active, tuple(scan.failures))


class _Scan:
    """One pass; each failure once, and the service as of the last boot."""

    def __init__(self) -> None:
        self._boots = Boots(lambda: ServiceScan(_ABOUT, _PROCESS))
        self.failures: dict[FreezeFailure, None] = {}
        self._cut = ""

    @property
    def service(self) -> ServiceScan:
        return self._boots.now

    def feed(self, message: str) -> None:
        if self._cut:
            message, self._cut = f"{self._cut} {message}", ""
        self._boots.feed(message)
        if _OWN_END.search(message) and "%" not in message:
            self.service.said = "failed"
        elif "VSS" in message or "FREEZE" in message:
            self._take_own(message)
        self.service.feed(message)

    def _take_own(self, message: str) -> None:
        if _OWN.search(message) and "%" not in message:
            self.service.said = "runs"
        if failure := _FREEZE.search(message):
            mount = failure["mount"] or failure["mount2"]
            error = (failure["error"] or failure["error2"] or failure["number"]).strip()
            if error != "Success" and "%" not in mount:
                self.failures.setdefault(FreezeFailure(mount, error))
        elif _FREEZE_CUT.search(message):
            self._cut = message[:600]
