"""What the guest's freeze service says of itself in the journal: froze, thawed, or could not.

Sources: the kernel's tools/hv/hv_vss_daemon.c (three generations of its texts), QEMU's
qga/commands-posix.c. What they log is evidence that file systems were frozen, not that the content
is right: that is judged on the copy.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum

from harness.errors import EvidenceError
from harness.evidence import Probe


class Step(Enum):
    """One thing that the service did."""

    FROZE = "froze"
    THAWED = "thawed"
    FAILED = "failed to freeze"


SAYINGS = (
    (re.compile(r"VSS: op=FREEZE: succeeded"), Step.FROZE),
    (re.compile(r"VSS: op=FREEZE: failed|FREEZE of .{1,200} failed"), Step.FAILED),
    (re.compile(r"VSS: op=THAW: succeeded"), Step.THAWED),
    (re.compile(r"VSS: freeze of "), Step.FROZE),  # 3.11 to 3.17
    (re.compile(r"VSS: thaw of "), Step.THAWED),
    (re.compile(r"VSS cmd is fsfreeze +-f "), Step.FROZE),  # 3.10
    (re.compile(r"VSS cmd is fsfreeze +-u "), Step.THAWED),
    (re.compile(r"guest-fsfreeze called"), Step.FROZE),
    (re.compile(r"fsfreeze hook with arg 'thaw'"), Step.THAWED),
    (re.compile(r"logging re-enabled due to filesystem unfreeze"), Step.THAWED),
)
"""What each service writes → what it means. qemu-guest-agent is silent about a thaw unless it has a
hook to run (it then logs that) or is verbose."""


@dataclass(frozen=True, slots=True)
class FreezeLog:
    """What the service did since a cursor, in order."""

    steps: tuple[Step, ...]

    @property
    def complete(self) -> bool:
        """Return whether it froze and thereafter thawed, and nothing failed."""
        if Step.FAILED in self.steps or Step.FROZE not in self.steps:
            return False
        return Step.THAWED in self.steps[self.steps.index(Step.FROZE) :]


def parse_cursor(text: str) -> str:
    """Read the journal's position from its latest entry (``journalctl -o json -n 1``)."""
    entries = _entries(text)
    if not entries:
        raise EvidenceError("journal", "entry", text)
    return str(entries[-1]["__CURSOR"])


def parse_freeze_log(text: str, cursor: str = "") -> FreezeLog:
    """Read entries of the service's own processes (``journalctl -o json -u …``) after a cursor."""
    later = (entry for entry in _entries(text) if entry.get("__CURSOR") != cursor)
    own = (entry for entry in later if entry.get("_COMM") != "systemd")
    steps = (step for entry in own if (step := _step(entry.get("MESSAGE"))))
    return FreezeLog(tuple(steps))


def _entries(text: str) -> list[dict[str, object]]:
    found = []
    for line in text.splitlines():
        if not line.startswith("{"):
            continue  # "-- No entries --"
        try:
            found.append(json.loads(line))
        except ValueError:
            raise EvidenceError("journal", "JSON line", line) from None
    return found


def _step(message: object) -> Step | None:
    """Read one message; journald gives one that is no UTF-8 as a list of bytes."""
    if isinstance(message, list):
        message = bytes(message).decode("utf-8", errors="replace")
    text = str(message or "")
    return next((step for pattern, step in SAYINGS if pattern.search(text)), None)


CURSOR = Probe(("journalctl", "--no-pager", "-o", "json", "-n", "1"), parse_cursor, privileged=True)


def freeze_log(services: tuple[str, ...], cursor: str) -> Probe[FreezeLog]:
    """Ask what the platform's freeze service wrote after a position of the journal.

    Not by --after-cursor: with a unit given it leaves out the first entry that is asked for when
    the cursor is another unit's (seen with systemd 252).
    """
    units = tuple(word for name in services for word in ("-u", f"{name}.service"))
    argv = ("journalctl", "--no-pager", "-o", "json", f"--cursor={cursor}", *units)
    return Probe(argv, lambda text: parse_freeze_log(text, cursor), privileged=True)
