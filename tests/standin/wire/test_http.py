"""What no honest client sends, and more clients than one expects."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypsrp.powershell import PowerShell, RunspacePool

from harness.standin.httpd import Limits
from harness.standin.server import Endpoint, WinRM
from harness.standin.tls import make_certificate
from harness.standin.wsman import NS, Fault, parse
from tests.standin.wire.conftest import Connect
from tests.standin.wire.fake_engine import PASSWORD, FakeEngine
from tests.standin.wire.raw import answer_to, message, post, raw_connection, read_answer

CREATE = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create"
CMD = f"{NS['rsp']}/cmd"
SHELL = "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams></rsp:Shell>"


@pytest.fixture
def impatient(engine: FakeEngine) -> Iterator[WinRM]:
    limits = Limits(idle=0.3, request=0.3, connections=3)
    users = {"Administrator": PASSWORD}
    endpoint = Endpoint("HV01", "127.0.0.1", engine, users, 0, 0, limits=limits)
    with WinRM([endpoint]) as server:
        yield server


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST /wsman SPDY/9\r\n\r\n", 400),
        (b"POST /wsman HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: ten\r\n\r\n", 400),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST /wsman HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /wsman HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 400),
        (b"POST /wsman HTTP/1.1\r\nX: " + b"a" * 600_000, 400),
    ],
)
def test_what_is_not_http_is_refused_and_hung_up_on(
    winrm: WinRM, request_bytes: bytes, status: int
) -> None:
    with raw_connection(winrm, tls=False) as line:
        with contextlib.suppress(ConnectionError):
            line.sendall(request_bytes)
        assert read_answer(line)[0] in (status, 0)
        assert read_answer(line)[0] == 0


def test_other_paths_and_methods_do_not_exist(winrm: WinRM) -> None:
    with raw_connection(winrm) as line:
        assert answer_to(line, post(b"", path="/other"))[0] == 404
        assert answer_to(line, b"GET /wsman HTTP/1.1\r\n\r\n")[0] == 405


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not xml", 2150858817),
        (b"<a/>", 2150858817),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 2150858817),
        (b"\xff\xfe<\0", 2150858817),
        (message("http://x/Fly", CMD), 2150858753),
        (message(CREATE, CMD), 2150858817),
        (message(CREATE, "http://x/none", SHELL), 2150858752),
        (message(CREATE, "http://schemas.microsoft.com/powershell/Other", SHELL), 2150858752),
        (
            message(CREATE, CMD, SHELL, extra="<w:OperationTimeout>1h</w:OperationTimeout>"),
            2150858817,
        ),
        (message(CREATE, CMD, SHELL, extra="<w:MaxEnvelopeSize>9</w:MaxEnvelopeSize>"), 2150858878),
        (message(f"{NS['rsp']}/Command", CMD, shell_id="gone"), 2150858843),
        (message(f"{NS['rsp']}/Receive", CMD, shell_id=""), 2150858843),
    ],
)
def test_a_senseless_message_gets_a_fault_with_windows_code(
    winrm: WinRM, body: bytes, code: int
) -> None:
    with raw_connection(winrm) as line:
        status, answer = answer_to(line, post(body))
        assert status == 500
        assert f'Code="{code}"'.encode() in answer
        assert answer_to(line, post(message(CREATE, CMD, SHELL)))[0] == 200


@pytest.mark.parametrize("content", ["", "!!!", "AAAA", "A" * 400])
def test_fragments_that_are_no_psrp_get_a_fault(winrm: WinRM, content: str) -> None:
    xml = f'<creationXml xmlns="http://schemas.microsoft.com/powershell">{content}</creationXml>'
    body = f"<rsp:Shell>{xml}</rsp:Shell>"
    resource = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"
    with raw_connection(winrm) as line:
        status, _ = answer_to(line, post(message(CREATE, resource, body)))
        assert status == 500


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_raise_anything_but_a_fault(data: bytes) -> None:
    with contextlib.suppress(Fault):
        parse(data)


@given(st.binary(max_size=300))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_bytes_stop_the_server(winrm: WinRM, data: bytes) -> None:
    with raw_connection(winrm, tls=False) as line:
        line.sendall(data + b"\r\n\r\n")
        line.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while line.recv(4096):
                pass
    with raw_connection(winrm, tls=False) as line:
        assert answer_to(line, b"GET / HTTP/1.1\r\n\r\n")[0] == 404


def test_a_chunked_body_with_expect_continue_is_understood(winrm: WinRM) -> None:
    body = message(CREATE, CMD, SHELL)
    head = post(b"", "Transfer-Encoding: chunked", "Expect: 100-continue")
    half = len(body) // 2
    with raw_connection(winrm) as line:
        line.sendall(head.replace(b"Content-Length: 0\r\n", b""))
        assert line.recv(100).startswith(b"HTTP/1.1 100 Continue")
        for piece in (body[:half], body[half:], b""):
            line.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        assert read_answer(line)[0] == 200


def test_a_message_in_utf_16_is_understood(winrm: WinRM) -> None:
    body = message(CREATE, CMD, SHELL).decode().encode("utf-16")
    with raw_connection(winrm) as line:
        assert answer_to(line, post(body))[0] == 200


def test_connection_close_is_obeyed(winrm: WinRM) -> None:
    with raw_connection(winrm) as line:
        assert answer_to(line, post(b"", "Connection: close", path="/other"))[0] == 404
        assert read_answer(line)[0] == 0


@pytest.mark.parametrize(
    "start", [b"", b"POST /wsman", b"POST /wsman HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"]
)
def test_a_slow_or_idle_client_is_hung_up_on(impatient: WinRM, start: bytes) -> None:
    with raw_connection(impatient, tls=False) as line:
        line.sendall(start)
        assert read_answer(line)[0] == 0


def test_a_connection_too_many_is_closed_at_once(impatient: WinRM) -> None:
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(raw_connection(impatient, tls=False)) for _ in range(4)]
        lines[3].settimeout(0.2)
        assert read_answer(lines[3])[0] == 0
        assert answer_to(lines[0], b"GET / HTTP/1.1\r\n\r\n")[0] == 404


def test_a_taken_port_is_an_error_that_leaves_nothing_behind(
    winrm: WinRM, engine: FakeEngine
) -> None:
    before = threading.active_count()
    taken = Endpoint("HV02", "127.0.0.1", engine, {}, winrm.ports["HV01"].http, None)
    with pytest.raises(OSError, match="address already in use"):
        WinRM([taken]).start()
    assert threading.active_count() == before


def test_a_host_may_bring_its_own_certificate(engine: FakeEngine, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "mine", "127.0.0.1")
    users = {"Administrator": PASSWORD}
    endpoint = Endpoint(
        "HV01", "127.0.0.1", engine, users, None, 0, certificate=certificate, key=key
    )
    with WinRM([endpoint]) as server:
        assert server.ports["HV01"].http is None
        assert server.ports["HV01"].certificate == certificate
        with raw_connection(server) as line:
            assert answer_to(line, b"GET / HTTP/1.1\r\n\r\n")[0] == 404


def test_a_hundred_connections_at_once_are_served(winrm: WinRM) -> None:
    def identify(_: int) -> int:
        with raw_connection(winrm, tls=False) as line:
            request = b"POST /wsman-anon/identify HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
            return min(answer_to(line, request)[0] for _ in range(3))

    with ThreadPoolExecutor(100) as many:
        assert set(many.map(identify, range(100))) == {200}


def test_twenty_pools_at_once_get_their_own_answers(connect: Connect) -> None:
    connections = [connect() for _ in range(20)]

    def work(number: int) -> list[object]:
        with RunspacePool(connections[number]) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet("Echo").add_parameter("Value", number)
            found: list[object] = shell.invoke()
            return found

    with ThreadPoolExecutor(20) as many:
        assert list(many.map(work, range(20))) == [[number] for number in range(20)]
