"""Memory load in the guest: stress-ng in units of the guest's own systemd.

A unit survives the SSH connection that started it, and is stopped by its name.
"""

from __future__ import annotations

from harness.guest.files import run_or_fail
from harness.guest.shell import GuestShell
from harness.units import Bytes, KiB

PROGRAM = "stress-ng"
UNIT = "hvcert-load"
ALL = f"{UNIT}-*.service"


def start_piece(shell: GuestShell, number: int, size: Bytes) -> None:
    """Have one more process take that much memory, write it, and keep it; ``number`` is new."""
    run_or_fail(
        shell,
        (
            *("systemd-run", "--quiet", f"--unit={UNIT}-{number}"),
            *(PROGRAM, "--vm", "1", "--vm-bytes", f"{size // KiB}K", "--vm-keep"),
            *("--vm-hang", "0", "--vm-method", "zero-one"),
        ),
    )


def stop_pieces(shell: GuestShell) -> None:
    """End the whole load; harmless when there is none."""
    run_or_fail(shell, ("systemctl", "stop", ALL))
    run_or_fail(shell, ("systemctl", "reset-failed", ALL))
