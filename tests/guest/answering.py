"""A small guest for tests: answers commands by their first words, and remembers what was asked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import timedelta

from harness.guest.shell import Completed
from tests.guest.nofiles import NoFiles


class AnsweringGuest(NoFiles):
    """Satisfies GuestShell. The longest beginning that fits answers: a text, or an exit status."""

    name = "debian"

    def __init__(self, replies: Mapping[str, str | int]) -> None:
        self.replies, self.asked = dict(replies), list[str]()

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = timedelta(minutes=1),
    ) -> Completed:
        assert within > timedelta(0)
        del privileged, stdin
        line = shlex.join(argv)
        self.asked.append(line)
        fits = [begin for begin in self.replies if line.startswith(begin)]
        reply = self.replies[max(fits, key=len)] if fits else ""
        if isinstance(reply, int):
            return Completed(argv, reply, "", "refused")
        return Completed(argv, 0, reply, "")
