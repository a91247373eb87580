"""Real messages of a client, and what becomes of them when something on the way is broken.

The messages are taken down from an unmodified client, so that most mutants reach deep into the
service: nearly right is harder on a parser than noise.
"""

from __future__ import annotations

import random
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from harness.standin.server import WinRM
from tests.standin.wire.fake_engine import PASSWORD
from tests.standin.wire.raw import post, raw_connection, read_answer

ANSWERS = {200, 400, 401, 404, 413, 500, 501, 503}
"""Statuses that a WinRM service may give to anything at all; 0 stands for a closed connection."""
ODD = (b"", b"0", b"-1", b"99999999999999999999", b"&#0;", b"PT0S", b"AAAA", b"\xff", b"]]>")

Mutate = Callable[[random.Random, bytes], bytes]


def recorded(winrm: WinRM) -> list[bytes]:
    """Return the bodies that pypsrp sends in one short session: every verb of a shell's life."""
    ports = winrm.ports["HV01"]
    taken: list[bytes] = []
    trust: Any = str(ports.certificate)  # the library takes a path, too
    with WSMan(
        "127.0.0.1", port=ports.https, username="Administrator", password=PASSWORD, auth="basic",
        ssl=True, cert_validation=trust,
    ) as client:  # fmt: skip
        transport: Any = client.transport
        send = transport.send

        def keep(message: bytes, **named: object) -> bytes:
            taken.append(message)
            answer: bytes = send(message, **named)
            return answer

        transport.send = keep
        with RunspacePool(client) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet("Get-VM").add_parameter("Name", "a")
            shell.invoke()
            shell.close()
            pool.disconnect()
            pool.connect()
    return taken


def flip(chance: random.Random, data: bytes) -> bytes:
    """Change some bytes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut(chance: random.Random, data: bytes) -> bytes:
    """Leave the end away."""
    return data[: chance.randrange(len(data))]


def drop(chance: random.Random, data: bytes) -> bytes:
    """Leave one element away."""
    found = list(re.finditer(rb"<([\w:]+)[^<>]*>[^<>]*</\1>", data))
    if not found:
        return cut(chance, data)
    gone = chance.choice(found)
    return data[: gone.start()] + data[gone.end() :]


def double(chance: random.Random, data: bytes) -> bytes:
    """Say one element twice, or many times."""
    found = list(re.finditer(rb"<([\w:]+)[^<>]*>[^<>]*</\1>", data))
    if not found:
        return data + data
    again = chance.choice(found)
    return data[: again.end()] + again[0] * chance.choice((1, 1, 500)) + data[again.end() :]


def refill(chance: random.Random, data: bytes) -> bytes:
    """Put another text into an element or attribute."""
    found = list(re.finditer(rb"(?<=[>\"])[^<>\"]+(?=[<\"])", data))
    if not found:
        return flip(chance, data)
    at = chance.choice(found)
    text = chance.choice((*ODD, at[0] * 2))
    return data[: at.start()] + text + data[at.end() :]


def fragment(chance: random.Random, data: bytes) -> bytes:
    """Break the Base64 that holds PSRP fragments: their numbers, lengths, flags or content."""
    found = list(re.finditer(rb"(?<=>)[A-Za-z0-9+/=]{60,}(?=<)", data))
    if not found:
        return refill(chance, data)
    at = chance.choice(found)
    text = bytearray(at[0])
    for _ in range(chance.randint(1, 3)):  # the first 28 characters are the fragment's head
        text[chance.randrange(chance.choice((28, len(text))))] = chance.choice(b"AB/+9z")
    return data[: at.start()] + bytes(text) + data[at.end() :]


MUTATIONS: tuple[Mutate, ...] = (flip, cut, drop, double, refill, fragment)


def mutants(messages: list[bytes], seed: int) -> Iterator[bytes]:
    """Yield broken messages without end, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311  # a seed makes a finding repeatable
    while True:
        broken = chance.choice(messages)
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            broken = chance.choice(MUTATIONS)(chance, broken or b"<")
        yield broken.replace(b"PT20S", b"PT0.1S")  # what does reach a long poll ends soon


def waits(body: bytes) -> bool:
    """Return whether the message may rightly wait for long: a poll, or a stop, with no limit."""
    return b"/Receive<" in body or b"/Signal<" in body or b"/Connect<" in body


def offer(winrm: WinRM, body: bytes, *headers: str, basic: str | None = None) -> int:
    """Send one message on a connection of its own; return the status, 0 for a closed connection.

    Raises TimeoutError when neither an answer nor the end comes; AssertionError for an answer that
    tells how the server is built.
    """
    request = post(body, *headers) if basic is None else post(body, *headers, basic=basic)
    with raw_connection(winrm) as line:
        line.settimeout(0.5 if waits(body) else 5)
        try:
            line.sendall(request)
            status, answer = read_answer(line)
        except ConnectionError:
            return 0
        except TimeoutError:
            if waits(body):
                return 200
            raise
    assert b"Traceback" not in answer
    assert b'.py"' not in answer
    return status


def shout(winrm: WinRM, data: bytes) -> None:
    """Send bytes that nobody asked for, then wait until the server hangs up."""
    with raw_connection(winrm, tls=False) as line:
        try:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            while answer := line.recv(65536):
                assert b"Traceback" not in answer
        except ConnectionError:
            pass
