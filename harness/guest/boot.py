"""Which boot a guest is in, and the bounded wait for the next one."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from harness.deadline import SYSTEM, Clock, wait_for
from harness.errors import DeadlineExceeded, EvidenceError, GuestUnreachable
from harness.evidence import Measured, Probe
from harness.guest.measure import measure
from harness.guest.shell import GuestShell

ASK_WITHIN = timedelta(seconds=30)
EVERY = timedelta(seconds=4)
"""Each attempt may ask the host for an address: a call that is not free."""


class ClosableShell(GuestShell, Protocol):
    """A shell that owns its connection."""

    def close(self) -> None:
        """End the session."""


def parse_boot_id(text: str) -> str:
    """Read the UUID that the kernel makes anew at each boot."""
    found = re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text.strip())
    if not found:
        raise EvidenceError("boot id", "UUID", text)
    return found[0]


BOOT_ID = Probe(("cat", "/proc/sys/kernel/random/boot_id"), parse_boot_id)


def wait_for_ssh(
    guest: str, reach: Callable[[], ClosableShell], within: timedelta, *, clock: Clock = SYSTEM
) -> ClosableShell:
    """Return the first session that ``reach`` opens.

    ``reach`` makes one attempt and raises GuestUnreachable while the guest is down; any other
    error (a wrong key, a refused login) ends the wait at once.
    """

    def attempt() -> ClosableShell | None:
        with suppress(GuestUnreachable):
            return reach()
        return None

    return wait_for(f"SSH on guest {guest}", attempt, within, every=EVERY, clock=clock)


def wait_for_new_boot(
    previous: Measured[str],
    reach: Callable[[], ClosableShell],
    within: timedelta,
    *,
    clock: Clock = SYSTEM,
) -> tuple[ClosableShell, Measured[str]]:
    """Return a session to the boot after ``previous``, and its boot id.

    Works across a reboot, a panic and a kernel that hangs on its way down: an answer from the old
    boot, or none, only means to ask again. Raises DeadlineExceeded when no new boot answers.
    """
    where = previous.evidence[0].where if previous.evidence else "the guest"

    def attempt() -> tuple[ClosableShell, Measured[str]] | None:
        try:
            shell = reach()
        except GuestUnreachable:
            return None
        try:
            now = measure(shell, BOOT_ID, within=ASK_WITHIN)
        except (GuestUnreachable, DeadlineExceeded):
            shell.close()
            return None
        if now.value == previous.value:
            shell.close()
            return None
        return shell, now

    what = f"a boot of {where} after {previous.value}"
    return wait_for(what, attempt, within, every=EVERY, clock=clock)
