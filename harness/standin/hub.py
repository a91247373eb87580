"""Private switches: Ethernet frames carried between the machines on one, and nowhere else.

Each adapter on a private switch has a pair of sockets that keep message boundaries, one message a
frame: QEMU holds one end (``-netdev dgram`` with a descriptor), the hub the other. Nothing listens
anywhere, so no other process of this machine can take part.
"""

from __future__ import annotations

import selectors
import socket
from collections import deque
from dataclasses import dataclass, field
from threading import Lock, Thread
from uuid import UUID

FRAME = 1 << 17
"""Bytes read at once; virtio's largest coalesced frame is shorter."""

QUEUE = 512
"""Frames that wait for a machine that does not take them; further ones are lost, as on a wire."""

PULSE = 0.5
"""Seconds after which the hub looks whether it is to end."""


@dataclass(slots=True, eq=False)
class _Port:
    network: UUID
    end: socket.socket
    waiting: deque[bytes] = field(default_factory=deque)


class Hub:
    """Repeats what comes in at one port to every other port of the same private switch."""

    def __init__(self) -> None:
        self._selector, self._lock = selectors.DefaultSelector(), Lock()
        self._ports: dict[socket.socket, _Port] = {}
        self._thread: Thread | None = None
        self._open = True

    def attach(self, network: UUID) -> socket.socket:
        """Make a port on a switch and return QEMU's end; the port goes when that end is closed."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        with self._lock:
            self._ports[ours] = _Port(network, ours)
            self._selector.register(ours, selectors.EVENT_READ)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="private-switches", daemon=True)
                self._thread.start()
        return theirs

    def close(self) -> None:
        """End the hub and all its ports."""
        self._open = False
        if self._thread is not None:
            self._thread.join(timeout=4 * PULSE)
        with self._lock:
            for port in tuple(self._ports.values()):
                self._drop(port)
            self._selector.close()

    def _run(self) -> None:
        while self._open:
            for key, events in self._selector.select(PULSE):
                with self._lock:
                    port = self._ports.get(key.fileobj)  # type: ignore[call-overload]  # a socket
                    if port is not None:
                        self._serve(port, events)

    def _serve(self, port: _Port, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._send(port)
        if events & selectors.EVENT_READ and port.end in self._ports:  # it may be gone by now
            self._receive(port)

    def _receive(self, port: _Port) -> None:
        try:
            frame = port.end.recv(FRAME)
        except BlockingIOError:
            return
        except OSError:
            frame = b""
        if not frame:  # QEMU has closed its end
            self._drop(port)
            return
        for other in self._ports.values():
            if other is not port and other.network == port.network and len(other.waiting) < QUEUE:
                other.waiting.append(frame)
                self._want(other)

    def _send(self, port: _Port) -> None:
        try:
            while port.waiting:
                port.end.send(port.waiting[0])
                port.waiting.popleft()
        except BlockingIOError:
            return
        except OSError:
            self._drop(port)
            return
        self._want(port)

    def _want(self, port: _Port) -> None:
        writing = selectors.EVENT_WRITE if port.waiting else 0
        self._selector.modify(port.end, selectors.EVENT_READ | writing)

    def _drop(self, port: _Port) -> None:
        del self._ports[port.end]
        self._selector.unregister(port.end)
        port.end.close()
