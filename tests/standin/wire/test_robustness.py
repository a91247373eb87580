"""Broken, slow, silent and too many clients: an answer or a closed connection, and nothing kept."""

from __future__ import annotations

import base64
import contextlib
import gc
import itertools
import logging
import random
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from pypsrp.powershell import PowerShell, RunspacePool

from harness.standin.httpd import Limits
from harness.standin.server import Endpoint, WinRM
from tests.standin.wire.conftest import Connect
from tests.standin.wire.fake_engine import PASSWORD, FakeEngine
from tests.standin.wire.mutants import ANSWERS, flip, mutants, offer, recorded, shout
from tests.standin.wire.raw import answer_to, message, post, raw_connection, read_answer

IDENTIFY = b"POST /wsman-anon/identify HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
MUTANTS = 150
KEPT_BYTES = 1_500_000
"""What may stay allocated after the fuzz run: caches of the XML and TLS libraries, no message."""


@dataclass(frozen=True)
class Held:
    """What this process holds that a leak would show in."""

    threads: int
    descriptors: int


def held() -> Held:
    gc.collect()
    return Held(threading.active_count(), len(list(Path("/proc/self/fd").iterdir())))


@contextlib.contextmanager
def nothing_kept() -> Iterator[None]:
    """Compare threads and descriptors before and after the block; the server runs all the while.

    Worker threads are the pool's own and stay, so they are not counted.
    """

    def ours() -> Held:
        workers = sum(t.name.startswith("standin-engine") for t in threading.enumerate())
        found = held()
        return Held(found.threads - workers, found.descriptors)

    before = ours()
    yield
    end = time.monotonic() + 5
    while (after := ours()) != before and time.monotonic() < end:
        time.sleep(0.05)
    assert after == before


@pytest.fixture
def quick(engine: FakeEngine) -> Iterator[WinRM]:
    """Serve with patience for a third of a second."""
    limits = Limits(idle=0.3, request=0.3)
    users = {"Administrator": PASSWORD}
    with WinRM([Endpoint("HV01", "127.0.0.1", engine, users, 0, 0, limits=limits)]) as server:
        yield server


def works(connect: Connect) -> None:
    """Run one command as a well-behaved client does."""
    with RunspacePool(connect("basic")) as pool:
        shell = PowerShell(pool)
        shell.add_cmdlet("Echo").add_parameter("Value", 7)
        assert shell.invoke() == [7]


def shells_left(connect: Connect) -> int:
    return len(RunspacePool.get_runspace_pools(connect("basic")))


def test_broken_messages_of_a_real_client_get_an_answer_each(
    winrm: WinRM, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    messages = recorded(winrm)
    assert len({m.split(b"Action")[1] for m in messages}) >= 7  # every verb is among them
    works(connect)
    with caplog.at_level(logging.ERROR), nothing_kept():
        for body in itertools.islice(mutants(messages, seed=4), MUTANTS):
            assert offer(winrm, body) in ANSWERS | {0}, body
    assert [r.getMessage() for r in caplog.records if r.name.startswith("harness")] == []
    assert [r.getMessage() for r in caplog.records if r.name == "asyncio"] == []
    assert shells_left(connect) < 30
    works(connect)


def test_broken_messages_leave_no_memory_behind(winrm: WinRM) -> None:
    messages = recorded(winrm)
    broken = list(itertools.islice(mutants([m for m in messages if b"/Create<" not in m], 5), 60))
    for body in broken:  # caches fill in the first round
        offer(winrm, body)
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for body in broken:
            offer(winrm, body)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < KEPT_BYTES


def test_bytes_before_authentication_get_a_refusal_or_the_end(
    winrm: WinRM, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(7)  # noqa: S311  # a seed makes a finding repeatable
    token = base64.b64encode(b"NTLMSSP\x00\x01\x00\x00\x00" + bytes(24)).decode()
    starts = [
        post(b"<x/>", basic="AAAA"),
        post(b"", f"Authorization: Negotiate {token}"),
        IDENTIFY,
        b"POST /wsman HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    ]
    works(connect)
    with caplog.at_level(logging.ERROR), nothing_kept():
        for _ in range(MUTANTS):
            shout(winrm, flip(chance, chance.choice(starts)))
    assert [r.getMessage() for r in caplog.records] == []
    works(connect)


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Negotiate " + base64.b64encode(b"NTLMSSP\x00" + bytes(8)).decode(),
        "Authorization: CredSSP " + base64.b64encode(b"\x16\x03\x01\xff\xff" + bytes(64)).decode(),
        "Authorization: Basic Og==",
        "Authorization: Kerberos YII=",
        "Authorization: Basic " + "A" * 8000,
        "X-Nothing: at all",
    ],
)
@pytest.mark.parametrize("tls", [True, False])
def test_no_login_no_message(winrm: WinRM, header: str, *, tls: bool) -> None:
    body = message("http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", "winrm/config")
    request = post(body, header, basic="").replace(b"Authorization: Basic \r\n", b"")
    with raw_connection(winrm, tls=tls) as line:
        assert answer_to(line, request)[0] in {400, 401}


def test_a_token_taken_from_another_connection_opens_nothing(winrm: WinRM) -> None:
    """The last leg of NTLM belongs to the connection on which the challenge was given."""
    last = b"NTLMSSP\x00\x03\x00\x00\x00" + bytes(76)
    header = f"Authorization: Negotiate {base64.b64encode(last).decode()}"
    request = post(b"", header, basic="").replace(b"Authorization: Basic \r\n", b"")
    with raw_connection(winrm, tls=False) as line:
        assert answer_to(line, request)[0] == 401
        assert answer_to(line, IDENTIFY)[0] == 200


def test_two_hundred_connections_at_once_are_served_and_forgotten(
    winrm: WinRM, connect: Connect
) -> None:
    everybody = threading.Barrier(200)
    get = message("http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", "winrm/config")

    def ask(number: int) -> set[int]:
        with raw_connection(winrm, tls=False) as line:
            line.settimeout(30)
            everybody.wait(30)  # all 200 are open now
            first = answer_to(line, IDENTIFY)[0]
            return {first} if number % 2 else {first, answer_to(line, post(get))[0]}

    works(connect)
    with nothing_kept(), ThreadPoolExecutor(200) as many:
        found = set().union(*many.map(ask, range(200)))
    assert found == {200, 401}  # Basic is refused over plain HTTP
    works(connect)


def test_two_hundred_logins_at_once_over_tls_are_served(winrm: WinRM) -> None:
    get = post(
        message(
            "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get",
            "http://schemas.microsoft.com/wbem/wsman/1/config",
        )
    )

    def ask(_: int) -> int:
        with raw_connection(winrm) as line:
            line.settimeout(30)
            return answer_to(line, get)[0]

    with nothing_kept(), ThreadPoolExecutor(50) as many:
        assert set(many.map(ask, range(200))) == {200}


HALF = (
    b"",
    b"POST /wsman HTTP/1.1\r\nContent-Le",
    b"POST /wsman HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc",
    b"POST /wsman HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
)


@pytest.mark.parametrize("start", HALF)
def test_half_open_connections_end_and_hinder_nobody(quick: WinRM, start: bytes) -> None:
    with nothing_kept(), contextlib.ExitStack() as stack:
        lines = [stack.enter_context(raw_connection(quick, tls=False)) for _ in range(30)]
        for line in lines:
            line.sendall(start)
        with raw_connection(quick, tls=False) as honest:
            assert answer_to(honest, IDENTIFY)[0] == 200
        assert {read_answer(line)[0] for line in lines} == {0}


def test_a_client_that_never_starts_tls_is_hung_up_on(quick: WinRM) -> None:
    port = quick.ports["HV01"].https
    with nothing_kept(), socket.create_connection(("127.0.0.1", port or 0), timeout=5) as line:
        assert line.recv(100) == b""


@pytest.mark.parametrize("tls", [True, False])
def test_a_client_that_drips_is_hung_up_on(quick: WinRM, *, tls: bool) -> None:
    """A byte at a time may not stretch the patience of the whole head."""
    with nothing_kept(), raw_connection(quick, tls=tls) as line:
        begun = time.monotonic()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            for byte in itertools.cycle(b"X"):
                line.sendall(bytes((byte,)))
                time.sleep(0.02)
                if time.monotonic() - begun > 4:
                    break
        assert time.monotonic() - begun < 3


def flood(line: socket.socket) -> None:
    """Ask on without end."""
    while True:
        line.sendall(IDENTIFY * 100)


def test_a_client_that_never_reads_is_hung_up_on(quick: WinRM) -> None:
    with nothing_kept(), raw_connection(quick, tls=False) as line:
        line.settimeout(60)  # a busy machine takes its time to answer some ten thousand requests
        with pytest.raises(ConnectionError):
            flood(line)


def test_a_client_that_asks_without_end_leaves_time_for_others(winrm: WinRM) -> None:
    last = IDENTIFY.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    def ask(line: socket.socket) -> float:
        line.sendall(IDENTIFY * 2_000 + last)
        while line.recv(1 << 16):
            pass
        return time.monotonic()

    with raw_connection(winrm, tls=False) as greedy, raw_connection(winrm, tls=False) as other:
        greedy.settimeout(60)
        with ThreadPoolExecutor(1) as aside:
            done = aside.submit(ask, greedy)
            assert answer_to(other, IDENTIFY)[0] == 200
            answered = time.monotonic()
            assert done.result(60) > answered


def test_an_envelope_that_is_too_large_is_refused_before_it_is_read(winrm: WinRM) -> None:
    with raw_connection(winrm) as line:
        head = post(b"").replace(b"Content-Length: 0", b"Content-Length: 5000000")
        assert answer_to(line, head)[0] == 413
        assert read_answer(line)[0] == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"<a>" * 50_000 + b"</a>" * 50_000,
        lambda: b"<a " + b" ".join(b'b%d="1"' % n for n in range(40_000)) + b"/>",
        lambda: message("x", "y", "<q/>" * 200_000),
        lambda: message("http://schemas.xmlsoap.org/ws/2004/09/transfer/" + "C" * 500_000, "y"),
    ],
    ids=["deep", "attributes", "many", "long"],
)
def test_large_and_deep_documents_get_a_fault(winrm: WinRM, make: Callable[[], bytes]) -> None:
    with raw_connection(winrm) as line:
        line.settimeout(20)
        assert answer_to(line, post(make()))[0] in {413, 500}
    with raw_connection(winrm, tls=False) as line:
        assert answer_to(line, IDENTIFY)[0] == 200
