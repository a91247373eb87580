"""The agent inside a guest (qemu-guest-agent): heartbeat, addresses, names, clock, shutdown.

It plays the part of Hyper-V's integration services. A guest without an agent, or one that is still
booting, is silent: that is an answer (None, or no heartbeat), never an exception. Protocol: QEMU's
docs/interop/qemu-ga-ref; a fresh ``guest-sync-delimited`` goes before each call, because late
answers to calls that were given up may still be on their way.
"""

from __future__ import annotations

import json
import socket
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from harness.deadline import Deadline, wait_for
from harness.errors import DeadlineExceeded
from harness.standin.qmp import LineChannel

SENTINEL = b"\xff"
"""Makes the agent drop half-read input, and marks its answer to guest-sync-delimited."""

QUICK = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface as the guest sees it; addresses as text, without prefix length."""

    name: str
    mac: str
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()


class Agent:
    """Calls to one guest's agent; safe to use from several threads, one call at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._channel, self._lock, self._count = LineChannel(sock), Lock(), 0

    def call(
        self, command: str, arguments: dict[str, Any] | None = None, within: timedelta = QUICK
    ) -> dict[str, Any] | None:
        """Return the agent's whole answer (``return`` or ``error``), or None when it is silent."""
        deadline = Deadline(within)
        if not self._lock.acquire(timeout=deadline.left()):
            return None
        try:
            self._sync(deadline)
            self._send({"execute": command, "arguments": arguments or {}}, deadline)
            return self._read(deadline)
        except (OSError, EOFError):
            return None
        finally:
            self._lock.release()

    def ping(self, within: timedelta = QUICK) -> bool:
        """Tell whether the agent answers."""
        return "return" in (self.call("guest-ping", within=within) or {})

    def interfaces(self, within: timedelta = QUICK) -> tuple[Interface, ...]:
        """Return the guest's interfaces; empty when the agent is silent."""
        found = (self.call("guest-network-get-interfaces", within=within) or {}).get("return", [])
        return tuple(_interface(entry) for entry in found)

    def os_info(self, within: timedelta = QUICK) -> dict[str, str]:
        """Return guest-get-osinfo (os-release and uname); empty when the agent is silent."""
        return dict((self.call("guest-get-osinfo", within=within) or {}).get("return", {}))

    def host_name(self, within: timedelta = QUICK) -> str | None:
        """Return the guest's host name."""
        found = (self.call("guest-get-host-name", within=within) or {}).get("return", {})
        name = found.get("host-name")
        return str(name) if name else None

    def set_time(self, now: datetime, within: timedelta = QUICK) -> bool:
        """Set the guest's clock; True when the agent did."""
        arguments = {"time": int(now.timestamp() * 1_000_000) * 1_000}
        return "return" in (self.call("guest-set-time", arguments, within) or {})

    def shut_down(self, within: timedelta = QUICK) -> bool:
        """Ask for a shutdown; True when an agent was there to hear it and did not refuse.

        Runs /sbin/poweroff, as the kernel does when Hyper-V asks (hv_utils: orderly_poweroff);
        guest-shutdown runs shutdown(8), which fails in a guest without a login manager. That one
        has no answer when it works: the agent stops instead.
        """
        if not self.ping(within):
            return False
        if "return" in (self.call("guest-exec", {"path": "/sbin/poweroff"}, within) or {}):
            return True
        return "error" not in (self.call("guest-shutdown", {"mode": "powerdown"}, within) or {})

    def freeze(self, within: timedelta = timedelta(seconds=60)) -> int | None:
        """Freeze the guest's file systems; return how many, None when that did not happen."""
        return _count(self.call("guest-fsfreeze-freeze", within=within))

    def thaw(self, within: timedelta = timedelta(seconds=60)) -> int | None:
        """Let the guest's file systems go on; return how many, None when that did not happen."""
        return _count(self.call("guest-fsfreeze-thaw", within=within))

    def run(self, script: str, within: timedelta) -> tuple[int, str] | None:
        """Run a shell script as root; return its exit status and what it printed, None: no answer.

        A guest that reboots meanwhile has another agent, which does not know of it: None, too.
        """
        arguments = {"path": "/bin/sh", "arg": ["-c", script], "capture-output": True}
        begun = (self.call("guest-exec", arguments) or {}).get("return")
        if begun is None:
            return None

        def ended() -> dict[str, Any] | None:
            seen = self.call("guest-exec-status", {"pid": begun["pid"]}) or {}
            state = dict(seen.get("return", {}))
            return seen if "error" in seen or state.get("exited") else None

        try:
            state = dict(wait_for("the end of a script", ended, within).get("return", {}))
        except DeadlineExceeded:
            return None
        said = b"".join(b64decode(state.get(name, "")) for name in ("out-data", "err-data"))
        return (state.get("exitcode", -1), said.decode(errors="replace")) if state else None

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _sync(self, deadline: Deadline) -> None:
        self._count += 1
        token = self._count
        self._channel.send(SENTINEL, deadline)
        self._send({"execute": "guest-sync-delimited", "arguments": {"id": token}}, deadline)
        while self._read(deadline) != {"return": token}:
            pass

    def _send(self, message: dict[str, Any], deadline: Deadline) -> None:
        self._channel.send(json.dumps(message).encode() + b"\n", deadline)

    def _read(self, deadline: Deadline) -> dict[str, Any]:
        """Return the next whole message; what is no JSON object (cut off by a reset) is dropped."""
        while True:
            line = self._channel.line(deadline).rpartition(SENTINEL)[2]
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                return message


def _interface(entry: dict[str, Any]) -> Interface:
    def of(kind: str) -> tuple[str, ...]:
        addresses = entry.get("ip-addresses", [])
        return tuple(a["ip-address"] for a in addresses if a["ip-address-type"] == kind)

    mac = entry.get("hardware-address", "").lower()
    return Interface(entry["name"], mac, ipv4=of("ipv4"), ipv6=of("ipv6"))


def _count(answer: dict[str, Any] | None) -> int | None:
    number = (answer or {}).get("return")
    return number if isinstance(number, int) else None
