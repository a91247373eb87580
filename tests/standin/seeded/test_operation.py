"""Faults of the harness's own machine: the process that asks is found, killed, or has no room."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness.standin.httpd import PEER
from harness.standin.seeded import operation
from harness.standin.wsman import Envelope
from tests.standin.seeded.conftest import Broken
from tests.standin.seeded.test_wire import NMI, session_to

CLIENT = """
import socket, sys
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(line.getsockname()[1], flush=True)
for _ in sys.stdin:
    try:
        with open(sys.argv[2], "a") as file:
            file.write("a line")
        print("written", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
"""


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Return a process with a connection to here, and the port at its end."""
    file = tmp_path_factory.mktemp("client") / "file"
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = (sys.executable, "-c", CLIENT, str(server.getsockname()[1]), str(file))
        pipe = subprocess.PIPE
        with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) as process:
            yield process, int(said(process, ask=False))
            process.kill()


def said(process: subprocess.Popen[str], *, ask: bool = True) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    if ask:
        process.stdin.write("\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


def test_a_process_is_found_by_its_end_of_a_connection(
    client: tuple[subprocess.Popen[str], int],
) -> None:
    process, port = client
    assert operation.owner("127.0.0.1", port) == process.pid
    assert operation.owner("127.0.0.2", port) is None


def test_who_asks_for_the_third_nmi_is_killed(
    client: tuple[subprocess.Popen[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, port = client
    monkeypatch.setattr(operation, "injects", lambda _: True)
    asked = operation.at_the_third_injection(operation.kill)(_answer)

    async def three() -> list[int | None]:
        PEER.set(("127.0.0.1", port))
        states = []
        for _ in range(3):
            await asked("user", _REQUEST)
            states.append(process.poll())
        return states

    assert asyncio.run(three())[:2] == [None, None]
    assert process.wait(20) == -signal.SIGKILL


def test_a_disk_is_full_for_a_while(
    client: tuple[subprocess.Popen[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, _port = client
    monkeypatch.setattr(operation, "FULL_FOR", 0.5)
    assert said(process) == "written"

    async def fill() -> str:
        operation.fill_the_disk(process.pid)
        full = said(process)
        await asyncio.sleep(1)
        return full

    assert asyncio.run(fill()) == "File too large"
    assert said(process) == "written"


def test_the_lab_does_not_kill_itself(broken: Broken) -> None:
    bench = broken("harness-killed")
    bench.vm()
    bench.do("Start-VM")
    with session_to(bench) as session:
        for _ in range(4):
            session.run(NMI)
    assert len(bench.machines.nmis) == 4


async def _answer(_user: str, _request: Envelope) -> str:
    return ""


_REQUEST = object.__new__(Envelope)
