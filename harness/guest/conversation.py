"""One command's streams: stdin fed and both outputs drained at once, within a deadline.

An SSH channel's two outputs share one window, so reading one after the other would deadlock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from harness.deadline import Deadline

CHUNK = 1 << 16


class Stream(Protocol):
    """What is needed of a channel; a timed-out call raises TimeoutError, a broken one OSError."""

    def settimeout(self, seconds: float, /) -> None:
        """Bound each call that follows."""

    def recv(self, size: int, /) -> bytes:
        """Return some of stdout, empty at its end."""

    def recv_stderr(self, size: int, /) -> bytes:
        """Return some of stderr, empty at its end."""

    def sendall(self, data: bytes, /) -> None:
        """Send to stdin."""

    def shutdown_write(self) -> None:
        """End stdin."""


def converse(stream: Stream, stdin: bytes, deadline: Deadline) -> tuple[bytes, bytes]:
    """Return all of stdout and stderr; raise TimeoutError when they do not end in time."""
    err = bytearray()
    jobs = [_start(lambda: _drain(stream, stream.recv_stderr, err, deadline))]
    if stdin:
        jobs.append(_start(lambda: _feed(stream, stdin)))
    else:
        _feed(stream, b"")
    out = bytearray()
    _drain(stream, stream.recv, out, deadline)
    for job in jobs:
        job.join(deadline.left())
    if any(job.is_alive() for job in jobs) or not deadline.left():
        raise TimeoutError
    return bytes(out), bytes(err)


def _start(job: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        with suppress(OSError):  # TimeoutError among them: who reads stdout meets it too
            job()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def _drain(
    stream: Stream, recv: Callable[[int], bytes], into: bytearray, deadline: Deadline
) -> None:
    while left := deadline.left():
        stream.settimeout(left)
        if not (data := recv(CHUNK)):
            return
        into.extend(data)
    raise TimeoutError


def _feed(stream: Stream, stdin: bytes) -> None:
    with suppress(OSError, EOFError):  # the command may end before it has read everything
        if stdin:
            stream.sendall(stdin)
        stream.shutdown_write()
