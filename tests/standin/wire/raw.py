"""Requests by hand, for what no client library would send."""

from __future__ import annotations

import base64
import socket
import ssl
import uuid

from harness.standin.server import WinRM
from harness.standin.wsman import NS
from tests.standin.wire.fake_engine import PASSWORD

BASIC = base64.b64encode(f"Administrator:{PASSWORD}".encode()).decode()
_PREFIXES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
_POWERSHELL = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"


def raw_connection(winrm: WinRM, *, tls: bool = True) -> socket.socket:
    """Return a connection to the first host."""
    ports = winrm.ports["HV01"]
    port = ports.https if tls else ports.http
    assert port is not None
    plain = socket.create_connection(("127.0.0.1", port), timeout=5)
    if not tls:
        return plain
    context = ssl.create_default_context(cafile=str(ports.certificate))
    return context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=True)


def post(body: bytes, *headers: str, path: str = "/wsman", basic: str = BASIC) -> bytes:
    """Return an HTTP request."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: x",
        f"Authorization: Basic {basic}",
        "Content-Type: application/soap+xml;charset=UTF-8",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def message(
    action: str, resource: str, body: str = "", shell_id: str = "", extra: str = ""
) -> bytes:
    """Return a SOAP message."""
    selectors = f'<w:SelectorSet><w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet>'
    return (
        f"<s:Envelope {_PREFIXES}><s:Header><a:Action>{action}</a:Action>"
        f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><w:ResourceURI>{resource}</w:ResourceURI>"
        f"{extra}{selectors if shell_id else ''}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def receive_message(shell_id: str, command_id: str) -> bytes:
    """Return a Receive for a pipeline."""
    wanted = f'<rsp:DesiredStream CommandId="{command_id}">stdout</rsp:DesiredStream>'
    body = f"<rsp:Receive>{wanted}</rsp:Receive>"
    return message(f"{NS['rsp']}/Receive", _POWERSHELL, body, shell_id)


def answer_to(line: socket.socket, request: bytes) -> tuple[int, bytes]:
    """Send a request; return the status and body, 0 when the server hung up instead."""
    line.sendall(request)
    return read_answer(line)


def read_answer(line: socket.socket) -> tuple[int, bytes]:
    """Return status and body of the next answer, 0 for a closed connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = line.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            return 0, data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += line.recv(65536)
    return int(head.split(b" ")[1]), body
