"""Draws to a frame buffer device: the pixels travel packed, no package is needed for them."""

from __future__ import annotations

import gzip
from datetime import timedelta

from harness.checks.framebuffer import FrameBuffer
from harness.checks.redraw import parse_seconds
from harness.errors import CommandFailed
from harness.evidence import Evidence, Measured
from harness.guest.shell import Completed, GuestShell

FILE = "/run/hvcert-frame"
WITHIN = timedelta(minutes=5)


def send(shell: GuestShell, frame: bytes) -> None:
    """Put a frame into the guest's memory file system; raise CommandFailed when that fails."""
    packed = gzip.compress(frame, mtime=0)
    _run(shell, ("dd", f"of={FILE}.gz", "bs=1M"), packed)
    _run(shell, ("gzip", "--decompress", "--force", f"{FILE}.gz"))


def draw(shell: GuestShell, buffer: FrameBuffer) -> Measured[float]:
    """Write the frame that was sent to the screen; return the seconds that it took."""
    screen = f"of=/dev/fb{buffer.number}"
    done = _run(shell, ("env", "LC_ALL=C", "dd", f"if={FILE}", screen, "bs=16M"))
    asked = " ".join(done.argv)
    evidence = Evidence(asked, done.stderr, f"guest {shell.name}")  # dd reports on stderr
    return Measured(parse_seconds(done.stderr), (evidence,))


def clean(shell: GuestShell) -> None:
    """Remove what was sent."""
    _run(shell, ("rm", "-f", "--", FILE, f"{FILE}.gz"))


def _run(shell: GuestShell, argv: tuple[str, ...], stdin: bytes = b"") -> Completed:
    done = shell.run(argv, privileged=True, stdin=stdin, within=WITHIN)
    if done.exit_status:
        raise CommandFailed(shell.name, done.argv, done.exit_status, done.stderr)
    return done
