"""What a host takes notice of, told from what it did itself."""

from __future__ import annotations

from collections import deque
from typing import Any

from harness.standin.notices import Notice, taken


def test_resets_by_the_guest_and_crashes_are_noticed_once() -> None:
    events: deque[dict[str, Any]] = deque((
        {"event": "RESET", "data": {"guest": True, "reason": "guest-reset"}},
        {"event": "RESET", "data": {"guest": False, "reason": "host-qmp-system-reset"}},
        {"event": "GUEST_PANICKED", "data": {"action": "run"}},
        {"event": "GUEST_CRASHLOADED", "data": {"action": "run"}},
        {"event": "RTC_CHANGE", "data": {"offset": 1}},
        {"event": "STOP"},
    ))  # fmt: skip
    assert taken(events) == (Notice.RESET, Notice.CRASHED, Notice.CRASHED)
    assert taken(events) == ()
