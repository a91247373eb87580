"""What a guest does by itself that its host takes notice of, from QEMU's events.

A crash comes by the pvpanic device, whose driver tells of it when a kernel runs its panic
notifiers: one that goes to its capture kernel first (Linux' default) reports nothing, here as on
Hyper-V.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Any


class Notice(Enum):
    """The guest reset its machine, or reported that its operating system crashed."""

    RESET = "reset"
    CRASHED = "crashed"


_CRASHES = ("GUEST_PANICKED", "GUEST_CRASHLOADED")


def taken(events: deque[dict[str, Any]]) -> tuple[Notice, ...]:
    """Take all events out and return those that are the guest's doing, oldest first."""
    found = []
    while events:
        notice = _notice(events.popleft())
        if notice:
            found.append(notice)
    return tuple(found)


def _notice(event: Mapping[str, Any]) -> Notice | None:
    if event["event"] in _CRASHES:
        return Notice.CRASHED
    by_guest = event["event"] == "RESET" and event.get("data", {}).get("guest")
    return Notice.RESET if by_guest else None
