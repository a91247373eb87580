"""One command's streams: stdin fed and both outputs drained at once, within a deadline.

An SSH channel's two outputs share one window, so reading one after the other would deadlock.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from harness.deadline import Deadline
from harness.errors import ResultsError

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


class Sink(Protocol):
    """Where stdout goes."""

    def extend(self, data: bytes, /) -> None:
        """Take the next bytes."""


class FileSink:
    """A file of ours that takes a guest's bytes; ResultsError when it cannot."""

    def __init__(self, path: Path) -> None:
        self.size, self._path, self._hash = 0, path, hashlib.sha256()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        except OSError as error:
            raise self._unwritable(error) from error

    @property
    def sha256(self) -> str:
        """The hash of what was taken so far."""
        return self._hash.hexdigest()

    def extend(self, data: bytes) -> None:
        """Append to the file."""
        try:
            with self._path.open("ab") as file:
                file.write(data)
        except OSError as error:
            raise self._unwritable(error) from error
        self.size += len(data)
        self._hash.update(data)

    def _unwritable(self, error: OSError) -> ResultsError:
        return ResultsError(f"{self._path}: {error.strerror}; make room there or for the results")


def converse(stream: Stream, stdin: bytes, out: Sink, deadline: Deadline) -> bytes:
    """Hand stdout to ``out`` and return stderr; TimeoutError when they do not end in time."""
    err = bytearray()
    jobs = [_start(lambda: _drain(stream, stream.recv_stderr, err, deadline))]
    if stdin:
        jobs.append(_start(lambda: _feed(stream, stdin)))
    else:
        _feed(stream, b"")
    _drain(stream, stream.recv, out, deadline)
    for job in jobs:
        job.join(deadline.left())
    if any(job.is_alive() for job in jobs) or not deadline.left():
        raise TimeoutError
    return bytes(err)


def _start(job: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        with suppress(OSError):  # TimeoutError among them: who reads stdout meets it too
            job()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def _drain(stream: Stream, recv: Callable[[int], bytes], into: Sink, deadline: Deadline) -> None:
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
