"""What a guest answered in a case, command by command, and how long that took. Pure but for files.

A tape is JSON lines: the first says how long the guest took to boot and to shut down, each of the
others is a command with its answer. It is made of a recording, ``results/<run>/recordings/…``.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

TAPES = Path(__file__).parent / "tapes"
CASE = re.compile(r"hvcert-\d{8}-\d{6}-[0-9a-f]{6}-([a-z]+-\d+)-")
SUDO = ("sudo", "-n", "--")


@dataclass(frozen=True, slots=True)
class Reply:
    """A command's answer; ``seconds`` is how long the guest took."""

    argv: tuple[str, ...]
    exit_status: int
    stdout: str
    stderr: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Tape:
    """``boot`` and ``stop``: seconds from Start-VM to the first login, and of Stop-VM."""

    boot: float
    stop: float
    replies: tuple[Reply, ...]


class Player:
    """Answers the commands of one guest in the order of its tape.

    The same command gets the next of its answers each time, and the last one again when there is
    no other. A command that was never recorded is not found: no case passes by it.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._replies: defaultdict[tuple[str, ...], deque[Reply]] = defaultdict(deque)
        for reply in tape.replies:
            self._replies[reply.argv].append(reply)

    def answer(self, line: str) -> Reply:
        """Return what the guest said to a command line."""
        argv = tuple(shlex.split(line))
        argv = argv[len(SUDO) :] if argv[: len(SUDO)] == SUDO else argv
        left = self._replies.get(argv)
        if not left:
            said = f"{shlex.join(argv)}: this guest is a recording and holds no such command\n"
            return Reply(argv, 127, "", said, 0.0)
        return left.popleft() if len(left) > 1 else left[0]


def tape_for(vm: str) -> Tape | None:
    """Return the tape of the case that a VM's name tells; None where there is none."""
    found = CASE.match(vm)
    path = TAPES / f"{found[1]}.jsonl" if found else None
    return read(path) if path and path.exists() else None


def read(path: Path) -> Tape:
    """Read a tape."""
    head, *lines = (json.loads(line) for line in path.read_text().splitlines())
    replies = (Reply(**{**line, "argv": tuple(line["argv"])}) for line in lines)
    return Tape(head["boot"], head["stop"], tuple(replies))


def write(tape: Tape, path: Path) -> None:
    """Write a tape."""
    rows = [{"boot": tape.boot, "stop": tape.stop}, *(asdict(reply) for reply in tape.replies)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def tape_of(recording: Iterable[Mapping[str, Any]]) -> Tape:
    """Make a tape of a case's recording."""
    rows = list(recording)
    started = next(r["at"] + r["seconds"] for r in rows if _is_call(r, "Start-VM"))
    login = next(r["at"] for r in rows if r["kind"] == "login")
    stop = [r["seconds"] for r in rows if _is_call(r, "Stop-VM")]
    replies = tuple(
        Reply(
            tuple(given["argv"]), given["exit_status"], given["stdout"], given["stderr"],
            row["seconds"],
        )
        for row in rows
        if row["kind"] == "guest" and (given := row["answer"]["given"])
    )  # fmt: skip
    return Tape(round(login - started, 3), max(stop, default=0.0), replies)


def _is_call(row: Mapping[str, Any], cmdlet: str) -> bool:
    return row["kind"] == "host" and str(row["asked"]).startswith(f"{cmdlet} ")
