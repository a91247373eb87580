"""What waits for a Receive: written by any thread, taken by one waiting Receive in the loop.

A newer Receive aborts the waiting one, and a cancelled one takes nothing, so an abandoned long
poll never swallows data.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from harness.standin.wsman import aborted, timed_out

# Output of a command that still runs is held back this long, in seconds, for more to join it: a
# short command is then answered in one Receive. The end of the command never waits.
LINGER = 0.01


class Parcel(Protocol):
    """One message on its way out."""

    stream: str

    def cut(self, room: int) -> bytes:
        """Return the next piece, at most ``room`` bytes; empty when nothing fits."""

    def left(self) -> int:
        """Return how many bytes are still to be cut."""


@dataclass(slots=True)
class Octets:
    """Plain bytes of a stream, such as a console's."""

    stream: str
    data: bytes

    def cut(self, room: int) -> bytes:
        """Return the next piece."""
        piece, self.data = self.data[:room], self.data[room:]
        return piece

    def left(self) -> int:
        """Return how many bytes are still to be cut."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one Receive answers: pieces per stream, and the exit code once all has been taken."""

    pieces: tuple[tuple[str, bytes], ...]
    exit_code: int | None = None


class Channel:
    """The output of one command, or of a shell itself."""

    def __init__(self, loop: asyncio.AbstractEventLoop, linger: float = LINGER) -> None:
        self._loop, self._linger = loop, linger
        self._parcels: deque[Parcel] = deque()
        self._exit_code: int | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.ended = asyncio.Event()

    def put(self, parcel: Parcel) -> None:
        """Add one message; from any thread."""
        self._parcels.append(parcel)
        if self._waiter and not self._timer and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._arm)

    def end(self, exit_code: int = 0, last: Parcel | None = None) -> None:
        """Say that nothing follows ``last``; from any thread."""
        if last is not None:
            self._parcels.append(last)
        self._exit_code = exit_code
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended)

    async def take(self, room: int, timeout: float) -> Taken:
        """Wait for data or the end. Raises Fault: timed out, or aborted by a newer Receive."""
        self.abort()
        if self._exit_code is None:
            await self._wait(timeout)
        return self._collect(room)

    def abort(self) -> None:
        """End the waiting Receive, if any, with a fault."""
        if self._waiter and not self._waiter.done():
            self._waiter.set_exception(aborted())
        self._waiter = None

    async def _wait(self, timeout: float) -> None:
        waiter = self._waiter = self._loop.create_future()
        self._arm()
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            if not self._parcels:
                raise timed_out() from None
        finally:
            if self._waiter is waiter:
                self._waiter = None

    def _arm(self) -> None:
        if not (self._parcels and self._waiter):
            return
        if not self._linger:
            self._release()
        elif self._timer is None:
            self._timer = self._loop.call_later(self._linger, self._release)

    def _ended(self) -> None:
        self.ended.set()
        self._release()

    def _release(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def _collect(self, room: int) -> Taken:
        exit_code = self._exit_code  # read first: what was put before the end is then seen below
        pieces: list[tuple[str, bytes]] = []
        while self._parcels and room > 0:
            parcel = self._parcels[0]
            piece = parcel.cut(room)
            if not piece and parcel.left():
                break
            pieces.append((parcel.stream, piece))
            room -= len(piece)
            if not parcel.left():
                self._parcels.popleft()
        return Taken(tuple(pieces), None if self._parcels else exit_code)
