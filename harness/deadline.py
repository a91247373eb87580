"""The only place that waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypeVar

from harness.errors import DeadlineExceeded

T = TypeVar("T")


class Clock(Protocol):
    """Time as a dependency, so waiting is testable in microseconds."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    def sleep(self, seconds: float, /) -> None:
        """Block for that long."""


class SystemClock:
    """Real time. ``listener`` is told of each sleep; a replay puts its own clock ``behind``."""

    def __init__(self) -> None:
        self.behind: Clock = time
        self.listener: Callable[[float, float], None] | None = None

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self.behind.monotonic()

    def sleep(self, seconds: float, /) -> None:
        """Block for that long."""
        started = self.behind.monotonic()
        self.behind.sleep(seconds)
        if self.listener is not None:
            self.listener(started, self.behind.monotonic() - started)


SYSTEM = SystemClock()


def wait_for(
    what: str,
    poll: Callable[[], T | None],
    within: timedelta,
    *,
    every: timedelta = timedelta(seconds=1),
    clock: Clock = SYSTEM,
) -> T:
    """Poll until the answer is not None; raise DeadlineExceeded that names what never came."""
    end = clock.monotonic() + within.total_seconds()
    while (answer := poll()) is None:
        left = end - clock.monotonic()
        if left <= 0:
            raise DeadlineExceeded(what, within)
        clock.sleep(min(every.total_seconds(), left))
    return answer


class Deadline:
    """How much of a limit is left; one Deadline bounds several steps."""

    def __init__(self, limit: timedelta, *, clock: Clock = SYSTEM) -> None:
        self.limit, self._clock = limit, clock
        self._end = clock.monotonic() + limit.total_seconds()

    def left(self) -> float:
        """Return the seconds that are left, never below 0."""
        return max(0.0, self._end - self._clock.monotonic())

    def remaining(self) -> timedelta:
        """Return what is left as a timedelta."""
        return timedelta(seconds=self.left())

    def check(self, what: str) -> None:
        """Raise DeadlineExceeded when nothing is left."""
        if self.left() <= 0:
            raise DeadlineExceeded(what, self.limit)
