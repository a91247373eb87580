"""Faults of the machine that the harness runs on: the harness is killed, or its disk is full.

The process is found at the other end of the connection, for the lab is on the same machine: its
socket is in Linux's /proc/net/tcp and among the open files of one process.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.standin.between import Between, Handle
from harness.standin.httpd import PEER
from harness.standin.seeded.fault import Fault, Level
from harness.standin.seeded.wire import THIRD, injects
from harness.standin.wsman import Envelope

if TYPE_CHECKING:
    from harness.standin.host import Host

FULL_FOR = 20.0
"""Seconds; the cases after that are to find room again."""


def owner(address: str, port: int) -> int | None:
    """Return the process of this machine that has this end of an IPv4 connection, None if gone."""
    (packed,) = struct.unpack("=I", socket.inet_aton(address))
    here = f"{packed:08X}:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1] == here}
    for file in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # processes and files come and go
            if str(file.readlink()) in sockets:
                return int(file.parts[2])
    return None


def kill(process: int) -> None:
    """End it as the kernel does when memory is short."""
    os.kill(process, signal.SIGKILL)


def fill_the_disk(process: int) -> None:
    """Let no file that it writes grow, for a while."""
    soft, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)

    def allow(size: int) -> None:
        with suppress(ProcessLookupError):
            resource.prlimit(process, resource.RLIMIT_FSIZE, (size, hard))

    allow(0)
    asyncio.get_running_loop().call_later(FULL_FOR, allow, soft)


def at_the_third_injection(does: Callable[[int], None]) -> Between:
    """Return what does it, once, to whoever asks for an NMI for the third time."""
    seen = Counter[str]()

    def between(handle: Handle) -> Handle:
        async def answer(user: str, request: Envelope) -> str:
            seen["nmi"] += injects(request)
            if seen["nmi"] == THIRD and not seen["done"]:
                seen["done"] = 1
                process = owner(*PEER.get())
                if process is not None and process != os.getpid():
                    does(process)
            return await handle(user, request)

        return answer

    return between


def _fault(name: str, says: str, does: Callable[[int], None]) -> Fault:
    def plant(host: Host) -> None:
        host.wire.append(at_the_third_injection(does))

    return Fault(name, Level.WIRE, says, "Host.wire, /proc", plant)


FAULTS = (
    _fault(
        "harness-killed",
        "the process that asks for a third NMI is killed",
        kill,
    ),
    _fault(
        "harness-disk-full",
        f"for {FULL_FOR:.0f} s the process that asks for a third NMI cannot write to its files",
        fill_the_disk,
    ),
)
