"""A cmd remote shell: the few commands that clients run through it, PowerShell above all.

pywinrm's run_ps and pypsrp's execute_cmd end here. A command that this console does not know gets
cmd.exe's own answer; nothing is ever run on the machine that plays the host.
"""

from __future__ import annotations

import asyncio
import codecs
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from harness.standin.api import Stopped
from harness.standin.channel import Channel, Octets
from harness.standin.console import Console, run_command_line
from harness.standin.shells import CTRL_C, TERMINATE, Facts, Host, new_id
from harness.standin.wsman import (
    NS,
    Envelope,
    command_not_found,
    invalid,
    no_action,
    over_quota,
    timed_out,
)

_log = logging.getLogger(__name__)
MAX_PROCESSES = 25  # MaxProcessesPerShell
_INTERRUPTED = 0xC000013A - 2**32  # STATUS_CONTROL_C_EXIT
_QUOTA = 2150858815


@dataclass(frozen=True, slots=True)
class Process:
    """One command of the shell."""

    channel: Channel
    stop: threading.Event


class CommandShell:
    """One shell of resource ``…/windows/shell/cmd``."""

    def __init__(self, facts: Facts, host: Host, code_page: str = "") -> None:
        self.facts, self._host = facts, host
        self._encoding = _encoding(code_page)
        self._processes: dict[str, Process] = {}

    def open(self, element: ET.Element) -> None:
        """Take nothing: environment and directory mean nothing to the commands known here."""

    def connect(self, element: ET.Element) -> bytes:  # noqa: ARG002 - the Protocol's signature
        """Refuse: only PowerShell shells change hands."""
        raise no_action("Connect")

    def command(self, request: Envelope) -> str:
        """Start a command line."""
        line = request.content("rsp:CommandLine")
        words = [each.text or "" for name in ("Command", "Arguments") for each in _all(line, name)]
        if len(self._processes) >= MAX_PROCESSES:
            text = f"The maximum number of processes per shell is {MAX_PROCESSES}."
            raise over_quota(_QUOTA, text)
        command_id = line.get("CommandId") or new_id()
        if command_id in self._processes:
            raise invalid("The CommandId is in use.")
        process = Process(Channel(self._host.loop), threading.Event())
        self._processes[command_id] = process
        self._host.run(self._work(" ".join(words).strip(), process))
        return command_id

    def commands(self) -> tuple[str, ...]:
        """Return the ids of the commands that were not terminated."""
        return tuple(self._processes)

    def channel(self, command_id: str | None) -> Channel:
        """Return the output of a command; the shell itself has none."""
        return self._find(command_id).channel

    def send(self, command_id: str | None, data: bytes, *, end: bool) -> None:  # noqa: ARG002 - no command known here reads
        """Take standard input, which no command reads."""
        self._find(command_id)

    async def signal(self, command_id: str | None, code: str, timeout: float) -> None:
        """Interrupt a command and wait for its end, or drop it."""
        if code not in (CTRL_C, "ctrl_break", TERMINATE):
            raise no_action(code)
        process = self._find(command_id)
        process.stop.set()
        if code == TERMINATE:
            process.channel.abort()
            del self._processes[command_id or ""]
            return
        try:
            await asyncio.wait_for(process.channel.ended.wait(), timeout)
        except TimeoutError:
            raise timed_out() from None

    def close(self) -> None:
        """Interrupt every command and end every Receive."""
        for process in self._processes.values():
            process.stop.set()
            process.channel.abort()
        self._processes.clear()

    def _find(self, command_id: str | None) -> Process:
        process = self._processes.get(command_id or "")
        if process is None:
            raise command_not_found(command_id or "")
        return process

    def _work(self, line: str, process: Process) -> Callable[[], None]:
        """Return what runs one command line to its end, for a worker thread."""

        def put(stream: str, text: str) -> None:
            if text:
                process.channel.put(Octets(stream, text.encode(self._encoding, "replace")))

        def work() -> None:
            console = Console(process.stop.is_set)
            try:
                code = run_command_line(line, self._host, self.facts.owner, console)
            except Stopped:
                code = _INTERRUPTED
            except Exception:  # noqa: BLE001 - outermost seam: a client must never wait for a dead command
                _log.exception("the engine failed")
                console.errors.append("The simulated host failed on its own account; see its log.")
                code = 1
            put("stdout", console.shown())
            put("stderr", console.shown_errors())
            process.channel.end(code)

        return work


def _all(line: ET.Element, name: str) -> list[ET.Element]:
    return line.findall(f"rsp:{name}", NS)


def _encoding(code_page: str) -> str:
    """Return the codec of a Windows code page, e.g. of ``437``; 65001 is UTF-8."""
    name = "utf-8" if code_page in ("", "65001") else f"cp{code_page}"
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise invalid(f"The code page {code_page} is not known.") from None
