"""HTTP/1.1 as http.sys serves it to WinRM: one session object per TCP connection.

NTLM and CredSSP belong to the connection, not to the request, and an abandoned long poll must end
with its connection before it takes data. Both need the connection itself, which HTTP libraries
hide; WinRM needs nothing else of HTTP. So this is small and our own.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

PEER: ContextVar[tuple[str, int]] = ContextVar("PEER")
"""Address and port of the client whose request is being answered."""

_BUFFER = 256 * 1024  # flow-control mark of a connection, bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may cost: seconds and bytes. The defaults are http.sys's and WinRM's."""

    idle: float = 120.0  # from one answer to the end of the next request's headers
    request: float = 120.0  # to send a body, or to take an answer
    header_bytes: int = 16 * 1024
    body_bytes: int = 4 * 1024 * 1024
    connections: int = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; ``close`` ends the connection after it."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    close: bool = False


class Session(Protocol):
    """What answers the requests of one connection, strictly one after the other."""

    async def answer(self, request: Request) -> Response:
        """Answer one request; cancelled when the client goes away."""


class BadRequest(Exception):
    """Not HTTP that this server takes; answered with ``status`` and the end of the connection."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"HTTP status {status}")


class _Line(asyncio.StreamReaderProtocol):
    """A connection that says at once when its client has gone."""

    def __init__(self, listener: Listener) -> None:
        reader = asyncio.StreamReader(limit=_BUFFER)
        super().__init__(reader)
        self._listener, self._source = listener, reader
        self._line: asyncio.Transport | None = None
        self._work: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not isinstance(transport, asyncio.Transport) or self._listener.full:
            transport.close()
            return
        loop = asyncio.get_running_loop()
        writer = asyncio.StreamWriter(transport, self, self._source, loop)
        self._line = transport
        self._listener.lines.add(transport)
        self._work = loop.create_task(self._listener.converse(self._source, writer))
        self._listener.work.add(self._work)
        self._work.add_done_callback(self._listener.work.discard)

    def eof_received(self) -> bool:
        super().eof_received()
        self._stop()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop()
        if self._line:
            self._listener.lines.discard(self._line)

    def _stop(self) -> None:
        if self._work:
            self._work.cancel()


@dataclass(slots=True)
class Listener:
    """One listening socket and the conversations on it."""

    open_session: Callable[[], Session]
    limits: Limits = field(default_factory=Limits)
    lines: set[asyncio.Transport] = field(default_factory=set)
    work: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def full(self) -> bool:
        """Whether another connection would be one too many."""
        return len(self.lines) >= self.limits.connections

    async def open(self, address: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen and return the port; port 0 takes a free one. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Line(self),
            address,
            port,
            ssl=tls,
            backlog=512,
            ssl_handshake_timeout=self.limits.idle if tls else None,
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening and end every conversation."""
        if self._server:
            self._server.close()
        for work in tuple(self.work):
            work.cancel()
        await asyncio.gather(*self.work, return_exceptions=True)
        for line in tuple(self.lines):
            line.abort()
        while self.lines:  # each goes in one of the loop's next turns
            await asyncio.sleep(0)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests until the client leaves, idles too long, or breaks the protocol."""
        session = self.open_session()
        PEER.set(writer.get_extra_info("peername", ("", 0))[:2])
        try:
            while await self._exchange(session, reader, writer):
                pass
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError, ssl.SSLError):
            pass  # the client has gone or is too slow: nobody is there to be told
        finally:
            self._hang_up(writer)

    def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        """Close; a client that does not even take the rest of its answer is cut off later."""
        writer.close()
        if writer.transport.get_write_buffer_size():
            loop = asyncio.get_running_loop()
            loop.call_later(self.limits.request, writer.transport.abort)

    async def _exchange(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Read one request and answer it; return whether the connection stays open."""
        try:
            request = await self._read(reader, writer)
        except BadRequest as refused:
            answer, stays = Response(refused.status, close=True), False
        else:
            answer = await session.answer(request)
            stays = not answer.close and request.headers.get("connection", "").lower() != "close"
        writer.write(_render(answer, close=not stays))
        async with asyncio.timeout(self.limits.request):
            await writer.drain()
        await asyncio.sleep(0)  # a client that asks without end must not keep the others waiting
        return stays

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        async with asyncio.timeout(self.limits.idle):
            method, path, headers = _parse_head(await self._head(reader))
        async with asyncio.timeout(self.limits.request):
            if headers.get("expect", "").lower() == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if "chunked" in headers.get("transfer-encoding", "").lower():
                body = await self._chunks(reader)
            else:
                body = await reader.readexactly(self._length(headers.get("content-length", "0")))
        return Request(method, path, headers, body)

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as overrun:
            raise BadRequest(HTTPStatus.BAD_REQUEST) from overrun
        if len(head) > self.limits.header_bytes:
            raise BadRequest(HTTPStatus.BAD_REQUEST)
        return head

    def _length(self, digits: str, base: int = 10) -> int:
        try:
            length = int(digits, base)
        except ValueError as wrong:
            raise BadRequest(HTTPStatus.BAD_REQUEST) from wrong
        if length < 0:
            raise BadRequest(HTTPStatus.BAD_REQUEST)
        if length > self.limits.body_bytes:
            raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return length

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        body = bytearray()
        while size := self._length((await _read_line(reader)).split(";")[0], 16):
            self._length(str(len(body) + size))
            body += (await reader.readexactly(size + 2))[:-2]
        while await _read_line(reader):
            pass  # trailers say nothing to WinRM
        return bytes(body)


async def _read_line(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n")).decode("latin-1").strip()
    except asyncio.LimitOverrunError as overrun:
        raise BadRequest(HTTPStatus.BAD_REQUEST) from overrun


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Read the request line and headers, e.g. ``POST /wsman HTTP/1.1``."""
    lines = head.decode("latin-1").strip("\r\n").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(HTTPStatus.BAD_REQUEST)
        headers[name.strip().lower()] = value.strip()
    return words[0], words[1], headers


def _render(answer: Response, *, close: bool) -> bytes:
    reason = HTTPStatus(answer.status).phrase
    lines = [f"HTTP/1.1 {answer.status} {reason}", "Server: Microsoft-HTTPAPI/2.0"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines.append(f"Content-Length: {len(answer.body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + answer.body
