"""Faults of the wire: WinRM connections that break, answers that do not come or come late.

The first calls of a run are spared, so that what breaks is a case and not its beginning.
"""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from typing import TYPE_CHECKING

from harness.standin.between import Between, Handle, Unavailable
from harness.standin.seeded.fault import Fault, Level
from harness.standin.wsman import NS, Envelope, over_quota, shell_not_found

if TYPE_CHECKING:
    from harness.standin.host import Host

EVERY = 20
LATE = 30.0
QUOTA = 2150859236
"""MaxConcurrentOperationsPerUser (wsmerror.h)."""

THIRD = 3


def _started(request: Envelope) -> tuple[str, bytes]:
    """Return id and text of the pipeline that a Command starts."""
    line = request.content("rsp:CommandLine")
    text = "".join(a.text or "" for a in line.findall("rsp:Arguments", NS))
    return line.get("CommandId", ""), base64.b64decode(text)


def injects(request: Envelope) -> bool:
    """Tell whether a request starts the injection of an NMI."""
    return request.verb == "Command" and b"InjectNonMaskableInterrupt" in _started(request)[1]


def _asked(request: Envelope) -> str:
    """Return the id of the pipeline whose output a Receive wants, "" for the shell's own."""
    return request.content("rsp:Receive/rsp:DesiredStream").get("CommandId", "")


def _lose_the_answer(handle: Handle) -> Handle:
    seen, lost = Counter[str](), set[str]()

    async def answer(user: str, request: Envelope) -> str:
        seen["nmi"] += injects(request)
        if seen["nmi"] == THIRD and not lost:
            lost.add(_started(request)[0])
        said = await handle(user, request)
        if request.verb == "Receive" and _asked(request) in lost:
            raise ConnectionResetError
        return said

    return answer


def _cut(handle: Handle) -> Handle:
    seen, cut = Counter[str](), set[str]()

    async def answer(user: str, request: Envelope) -> str:
        if request.verb == "Command":
            seen["commands"] += 1
            if seen["commands"] % EVERY == 0:
                cut.add(_started(request)[0])
        if request.verb == "Receive" and _asked(request) in cut:
            raise ConnectionResetError
        return await handle(user, request)

    return answer


def _expire(handle: Handle) -> Handle:
    seen, gone = Counter[str](), set[str]()

    async def answer(user: str, request: Envelope) -> str:
        shell = request.selectors.get("ShellId", "")
        if request.verb == "Command":
            seen[shell] += 1
            if seen[shell] == EVERY:
                gone.add(shell)
        if shell in gone:
            raise shell_not_found(shell)
        return await handle(user, request)

    return answer


def _refuse_now(handle: Handle) -> Handle:
    seen = Counter[str]()

    async def answer(user: str, request: Envelope) -> str:
        seen[request.verb] += 1
        if request.verb == "Command" and seen["Command"] % EVERY == 0:
            raise Unavailable
        return await handle(user, request)

    return answer


def _delay(handle: Handle) -> Handle:
    seen = Counter[str]()

    async def answer(user: str, request: Envelope) -> str:
        seen[request.verb] += 1
        if request.verb == "Command" and seen["Command"] % EVERY == 0:
            await asyncio.sleep(LATE)
        return await handle(user, request)

    return answer


def _over_quota(handle: Handle) -> Handle:
    seen = Counter[str]()

    async def answer(user: str, request: Envelope) -> str:
        seen[request.verb] += 1
        if request.verb == "Command" and seen["Command"] % EVERY == 0:
            raise over_quota(QUOTA, "This user is allowed no more concurrent operations.")
        return await handle(user, request)

    return answer


def _reboot(host: Host) -> None:
    """At the third NMI the host restarts: its VMs are off, its sessions gone, nothing answers."""
    seen, gone = Counter[str](), set[str]()

    def between(handle: Handle) -> Handle:
        async def answer(user: str, request: Envelope) -> str:
            shell = request.selectors.get("ShellId", "")
            seen["nmi"] += injects(request)
            if seen["nmi"] == THIRD and not gone:
                gone.update(seen_shells)
                await asyncio.to_thread(_turn_off, host)
                raise ConnectionResetError
            if shell in gone:
                raise shell_not_found(shell)
            if shell:
                seen_shells.add(shell)
            return await handle(user, request)

        return answer

    seen_shells: set[str] = set()
    host.wire.append(between)


def _turn_off(host: Host) -> None:
    for vm in list(host.world.vms):
        host.machines.kill(vm)


def _fault(name: str, does: str, between: Between) -> Fault:
    def plant(host: Host) -> None:
        host.wire.append(between)

    return Fault(name, Level.WIRE, does, "Host.wire", plant)


FAULTS = (
    _fault(
        "winrm-answer-lost",
        "the third injection of an NMI is done, and the connection ends before its answer",
        _lose_the_answer,
    ),
    _fault(
        "winrm-cut-in-mid-call",
        "at every 20th call the connection ends while its output is awaited, each time it is",
        _cut,
    ),
    _fault(
        "winrm-session-expired",
        "the host has forgotten a session at its 20th call",
        _expire,
    ),
    _fault(
        "winrm-unavailable",
        "every 20th call is answered with HTTP status 503 before it begins",
        _refuse_now,
    ),
    _fault("winrm-answers-late", "every 20th call begins 30 s late", _delay),
    _fault("winrm-quota", "every 20th call is refused by a quota of the user", _over_quota),
    Fault(
        "host-rebooted-in-mid-case",
        Level.WIRE,
        "at the third injection of an NMI the host restarts: VMs are off, sessions are gone",
        "Host.wire, Machines.kill",
        _reboot,
    ),
)
