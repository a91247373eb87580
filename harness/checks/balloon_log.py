"""What hv_balloon says of dynamic memory, and whether the OOM killer ran.

The kernel's texts (drivers/hv/hv_balloon.c, mm/oom_kill.c)::

    hv_balloon: Using Dynamic Memory protocol version 2.0                        (since 4.6)
    hv_balloon: Max. dynamic memory size: 8192 MB                                (since 4.12)
    hv_balloon: Received INFO_TYPE_MAX_PAGE_CNT / hv_balloon: Data Size is 8     (before: no size)
    hv_balloon: hot_add memory failed error is -22
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from harness.checks.boots import Boots
from harness.checks.text import records


@dataclass(frozen=True, slots=True)
class BalloonLog:
    """``max_mib``: the host's maximum; ``hot_add_error``: errno as logged; ``oom``: it killed."""

    protocol: str | None = None
    max_mib: int | None = None
    hot_add_error: int | None = None
    oom: bool = False


_PROTOCOL = re.compile(r"Using Dynamic Memory protocol version (\d{1,4}\.\d{1,4})")
_MAXIMUM = re.compile(r"Max\. dynamic memory size: (\d{1,15})(?: ?MB|$)")
_HOT_ADD = re.compile(r"hot_add memory failed,? error(?: is|:|=)? {0,2}(-?\d{1,6})")
_OOM = re.compile(
    # tuned invoked oom-killer: gfp_mask=0x6200ca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0
    r"\binvoked oom-killer|\bout of memory: (?:Kill|OOM)|\bOut of memory(?: \(\w{1,40}\))?: Kill"
    r"|\bOut of memory and no killable|\boom-kill:constraint=|\boom_reaper: reaped process"
    r"|\bKilled process \d{1,8}(?: \(|,)|\bout_of_memory\+0x|\boom_kill_process(?:\.\w{1,20})*\+0x"
    r"|\bsystem is deadlocked on memory|\bkilled by the OOM killer"
    # [ pid ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
    r"|\[ {0,3}pid {0,3}\] {1,4}uid {1,4}tgid {1,4}total_vm|^Tasks state \(memory values in pages\)"
)
_CUT = re.compile(  # where a mailer broke the line
    r"\bhv_balloon: (?:Using Dynamic Memory(?: protocol(?: version)?)?|Max\.(?: dynamic.{0,14})?"
    r"|hot_add(?: memory(?: failed(?: error(?: is)?)?)?)?)$"
)
_PIECES = ("oom", "emory", "Killed", "[ pid", "[  pid", "killed by")


def parse_balloon(text: str) -> BalloonLog:
    """Read the last boot of a kernel log."""
    boots, cut = Boots(BalloonLog), ""
    for record in records(text):
        message = f"{cut} {record.message}" if cut else record.message
        cut = message if "hv_balloon" in message and _CUT.search(message) else ""
        boots.feed(message)
        if any(piece in message for piece in _PIECES):
            boots.now = _with(boots.now, message)
    return boots.now


def _with(log: BalloonLog, message: str) -> BalloonLog:
    if found := _PROTOCOL.search(message):
        return replace(log, protocol=found[1])
    if found := _MAXIMUM.search(message):
        return replace(log, max_mib=int(found[1]))
    if found := _HOT_ADD.search(message):
        return replace(log, hot_add_error=int(found[1]))
    return replace(log, oom=True) if _OOM.search(message) else log
