from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from harness.errors import DeadlineExceeded, GuestKeyRefused, GuestUnreachable
from harness.evidence import Evidence, Measured
from harness.guest.boot import wait_for_new_boot, wait_for_ssh
from harness.guest.shell import Completed
from tests.guest.nofiles import NoFiles

OLD = "11111111-1111-1111-1111-111111111111"
NEW = "22222222-2222-2222-2222-222222222222"
BEFORE = Measured(OLD, (Evidence("cat boot_id", OLD, "guest g1"),))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds


class Boot(NoFiles):
    """A session to one boot of a guest; a Exception instead of an id breaks in mid-command."""

    name = "g1"

    def __init__(self, boot_id: str | Exception) -> None:
        self.boot_id, self.closed = boot_id, False

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = timedelta(seconds=1),
    ) -> Completed:
        del privileged, stdin, within
        if isinstance(self.boot_id, Exception):
            raise self.boot_id
        return Completed(argv, 0, self.boot_id + "\n", "")

    def close(self) -> None:
        self.closed = True


def in_turn(*answers: Boot | Exception) -> Callable[[], Boot]:
    left: Iterator[Boot | Exception] = iter(answers)

    def reach() -> Boot:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return reach


DOWN = GuestUnreachable("g1", "connection refused")


def test_a_reboot_is_over_when_a_new_boot_id_answers() -> None:
    old, dying = Boot(OLD), Boot(GuestUnreachable("g1", "connection lost"))
    hung = Boot(DeadlineExceeded("cat", timedelta(seconds=30)))
    reach = in_turn(old, dying, DOWN, DOWN, hung, Boot(NEW))
    _, boot = wait_for_new_boot(BEFORE, reach, timedelta(minutes=1), clock=Clock())
    assert boot.value == NEW
    assert old.closed
    assert dying.closed
    assert hung.closed


def test_a_guest_that_never_reboots_is_a_deadline_that_names_the_old_boot() -> None:
    with pytest.raises(DeadlineExceeded, match=f"boot of guest g1 after {OLD}.*within 60 s"):
        wait_for_new_boot(BEFORE, lambda: Boot(OLD), timedelta(minutes=1), clock=Clock())


def test_a_changed_key_ends_the_wait_at_once() -> None:
    reach = in_turn(DOWN, GuestKeyRefused("g1", "other key"))
    with pytest.raises(GuestKeyRefused):
        wait_for_ssh("g1", reach, timedelta(minutes=1), clock=Clock())


def test_ssh_that_comes_up_is_waited_for_and_bounded() -> None:
    shell: Any = wait_for_ssh("g1", in_turn(DOWN, Boot(NEW)), timedelta(minutes=1), clock=Clock())
    assert shell.boot_id == NEW
    with pytest.raises(DeadlineExceeded, match="SSH on guest g1"):
        wait_for_ssh("g1", in_turn(*[DOWN] * 99), timedelta(seconds=10), clock=Clock())
