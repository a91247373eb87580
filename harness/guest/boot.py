"""Which boot of the guest this is; bounded waits for SSH and for the next boot, by the boot id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from harness.deadline import wait_for
from harness.errors import DeadlineExceeded, EvidenceError, GuestUnreachable
from harness.evidence import Probe
from harness.guest.measure import measure
from harness.guest.shell import GuestShell


def parse_boot_id(text: str) -> str:
    """Read /proc/sys/kernel/random/boot_id, a UUID in lower case."""
    if len(text.strip()) != 36:
        raise EvidenceError("boot id", "UUID", text)
    return text.strip()


BOOT_ID = Probe(("cat", "/proc/sys/kernel/random/boot_id"), parse_boot_id)


def wait_for_ssh(name: str, connect: Callable[[], GuestShell], within: timedelta) -> GuestShell:
    """Try to log in until it works; a refused key or login is raised at once."""
    last: list[str] = []

    def attempt() -> GuestShell | None:
        try:
            return connect()
        except GuestUnreachable as not_yet:
            last[:] = [not_yet.what]
            return None

    try:
        return wait_for(f"SSH on {name}", attempt, within)
    except DeadlineExceeded as late:
        raise DeadlineExceeded(late.waited_for, within, "; ".join(last)) from None


def wait_for_new_boot(
    former: str, name: str, connect: Callable[[], GuestShell], within: timedelta
) -> GuestShell:
    """Log in until the boot id differs from the former one: SSH that answers proves no reboot."""

    def attempt() -> GuestShell | None:
        try:
            shell = connect()
        except GuestUnreachable:
            return None
        try:
            if measure(shell, BOOT_ID).value != former:
                return shell
        except GuestUnreachable:
            pass
        close(shell)
        return None

    return wait_for(f"a new boot of {name}", attempt, within)


def close(shell: GuestShell) -> None:
    """Close a session that has something to close (a replayed one has not)."""
    end = getattr(shell, "close", None)
    if end is not None:
        end()
