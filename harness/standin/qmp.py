"""QEMU's own control channel: JSON lines over a socket, every wait bounded.

The protocol is QEMU's docs/interop/qmp-spec.txt: a greeting, ``qmp_capabilities``, then commands
with an id; events arrive between a command and its answer and are kept.
"""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from threading import RLock
from typing import Any

from harness.deadline import Deadline
from harness.standin.machines import MachineError

Json = Any
KEPT_EVENTS = 256


class LineChannel:
    """Newline-ended messages over a socket, read against a deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket, self._rest = sock, b""

    def send(self, data: bytes, deadline: Deadline, descriptors: tuple[int, ...] = ()) -> None:
        """Send all of it; OSError (TimeoutError too) when the other end does not take it."""
        self._socket.settimeout(max(deadline.left(), 0.001))
        if descriptors:
            sent = socket.send_fds(self._socket, [data], list(descriptors))
            data = data[sent:]
        self._socket.sendall(data)

    def line(self, deadline: Deadline) -> bytes:
        """Return the next line without its end; TimeoutError, or EOFError when it was closed."""
        while b"\n" not in self._rest:
            if deadline.left() <= 0:
                raise TimeoutError
            self._socket.settimeout(max(deadline.left(), 0.001))
            data = self._socket.recv(1 << 16)
            if not data:
                raise EOFError
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Qmp:
    """A QMP session of one QEMU; safe to call from several threads."""

    def __init__(self, sock: socket.socket, what: str, last_words: Callable[[], str]) -> None:
        self._channel, self._what, self._last_words = LineChannel(sock), what, last_words
        self._lock, self._count = RLock(), 0
        self.events: deque[dict[str, Json]] = deque(maxlen=KEPT_EVENTS)

    def negotiate(self, within: timedelta) -> None:
        """Read the greeting and leave negotiation mode."""
        with self._lock:
            deadline = Deadline(within)
            if "QMP" not in self._message("start", deadline):
                raise MachineError(f"{self._what}: the control channel did not greet as QMP")
            self.execute("qmp_capabilities", within=deadline.remaining())

    def execute(
        self,
        command: str,
        arguments: dict[str, Json] | None = None,
        *,
        within: timedelta = timedelta(seconds=20),
        descriptors: tuple[int, ...] = (),
    ) -> Json:
        """Run one command and return its answer; ``descriptors`` travel with it (for getfd)."""
        with self._lock:
            deadline = Deadline(within)
            self._count += 1
            asked = {"execute": command, "arguments": arguments or {}, "id": self._count}
            try:
                self._channel.send(json.dumps(asked).encode() + b"\n", deadline, descriptors)
            except OSError as error:
                raise self._gone(command, error) from error
            return self._answer(command, self._count, deadline)

    def _answer(self, command: str, number: int, deadline: Deadline) -> Json:
        """Read up to the answer with that id; a late answer to a call given up is dropped."""
        while True:
            message = self._message(command, deadline)
            if message.get("id") != number:
                continue
            if "error" in message:
                raise MachineError(f"{self._what}: {command}: {message['error']['desc']}")
            return message["return"]

    def _message(self, command: str, deadline: Deadline) -> dict[str, Json]:
        """Return the next message that is no event."""
        while True:
            try:
                message: dict[str, Json] = json.loads(self._channel.line(deadline))
            except (OSError, EOFError, ValueError) as error:
                raise self._gone(command, error) from error
            if "event" not in message:
                return message
            self.events.append(message)

    def _gone(self, command: str, error: Exception) -> MachineError:
        """Say why there is no answer: too slow, or QEMU ended (then with what it said)."""
        if isinstance(error, TimeoutError):
            return MachineError(f"{self._what}: QEMU did not answer {command} in time")
        if isinstance(error, ValueError):
            return MachineError(f"{self._what}: QEMU's answer to {command} is no JSON: {error}")
        return MachineError(f"{self._what}: QEMU ended during {command}: {self._last_words()}")

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()
