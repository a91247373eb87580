"""Who may speak to a host, and how: wrong passwords, plain text, stale seals, two hosts."""

from __future__ import annotations

import base64
import gc
import logging
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import spnego
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.powershell import RunspacePool
from pypsrp.wsman import WSMan
from requests_credssp.exceptions import (  # type: ignore[import-untyped] # it ships no types
    AuthenticationException,
    NTStatusException,
)

from harness.standin.auth import Accounts, Gate, Refused
from harness.standin.httpd import Request
from harness.standin.server import Endpoint, WinRM
from tests.standin.wire.conftest import Connect
from tests.standin.wire.fake_engine import PASSWORD, FakeEngine
from tests.standin.wire.raw import answer_to, message, post, raw_connection


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect the sockets that requests leaves open after a refused login, where it is awaited."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


REFUSALS = (AuthenticationError, AuthenticationException, NTStatusException)


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate", "credssp"])
@pytest.mark.parametrize(
    ("username", "password"), [("Administrator", "wrong"), ("Nobody", PASSWORD)]
)
def test_a_wrong_password_or_user_is_refused(
    connect: Connect, auth: str, username: str, password: str
) -> None:
    pool = RunspacePool(connect(auth, username=username, password=password))
    with pytest.raises(REFUSALS) as caught:
        pool.open()
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    "username", ["Administrator", ".\\Administrator", "HV01\\administrator", "hv01\\Administrator"]
)
@pytest.mark.parametrize("auth", ["basic", "ntlm", "credssp"])
def test_a_local_user_has_several_spellings(connect: Connect, auth: str, username: str) -> None:
    with RunspacePool(connect(auth, username=username)) as pool:
        assert pool.is_alive()


def test_a_user_of_another_domain_is_refused(connect: Connect) -> None:
    with pytest.raises(AuthenticationError):
        RunspacePool(connect(username="OTHER\\Administrator")).open()


def test_basic_over_plain_http_is_refused_and_not_offered(winrm: WinRM) -> None:
    with raw_connection(winrm, tls=False) as line:
        line.sendall(post(message("x", "y")))
        answer = line.recv(65536)
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"WWW-Authenticate: Negotiate" in answer
    assert b"Basic" not in answer


def test_an_unsealed_message_over_plain_http_is_refused(connect: Connect) -> None:
    connection = connect("ntlm", encryption="never")
    with pytest.raises(WinRMTransportError) as caught:
        RunspacePool(connection).open()
    assert caught.value.code == 400


def test_a_body_sealed_with_an_old_key_is_refused_and_a_new_handshake_works(
    pool: RunspacePool,
) -> None:
    transport = pool.connection.transport
    transport.close()  # the connection goes, and with it the server's half of the key
    with pytest.raises(WinRMTransportError) as caught:
        pool.get_available_runspaces()
    assert caught.value.code == 400
    transport.session = transport.encryption = None
    assert pool.get_available_runspaces() == 1


def test_the_same_user_has_another_password_on_each_host() -> None:
    hosts = [
        Endpoint(name, "127.0.0.1", FakeEngine(), {"Administrator": f"{name} secret"}, 0, None)
        for name in ("HV01", "HV02")
    ]
    with WinRM(hosts) as server:
        for host in ("HV01", "HV02"):
            for owner in ("HV01", "HV02"):
                connection = WSMan(
                    "127.0.0.1",
                    port=server.ports[host].http,
                    username="Administrator",
                    password=f"{owner} secret",
                    auth="ntlm",
                    ssl=False,
                )
                with connection:
                    assert _opens(connection) == (host == owner)


def _opens(connection: WSMan) -> bool:
    try:
        RunspacePool(connection).open()
    except AuthenticationError:
        return False
    return True


def test_a_shell_belongs_to_its_user(engine: FakeEngine) -> None:
    users = {"Alice": "a-secret", "Bob": "b-secret"}
    with WinRM([Endpoint("HV03", "127.0.0.1", engine, users, 0, None)]) as server:
        connections = [
            WSMan(
                "127.0.0.1",
                port=server.ports["HV03"].http,
                username=name,
                password=password,
                auth="ntlm",
                ssl=False,
            )
            for name, password in users.items()
        ]
        RunspacePool(connections[0]).open()
        assert len(RunspacePool.get_runspace_pools(connections[0])) == 1
        assert RunspacePool.get_runspace_pools(connections[1]) == []
        for connection in connections:
            connection.close()


def test_no_password_is_on_disk_and_the_hashes_go_with_the_server(
    winrm: WinRM, engine: FakeEngine
) -> None:
    folder = winrm.ports["HV01"].certificate.parent
    files = [path for path in folder.iterdir() if path.suffix != ".crt"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    winrm.close()
    assert not folder.exists()
    assert "NTLM_USER_FILE" not in os.environ
    assert not engine.asked


def test_a_bare_lm_response_proves_nothing(tmp_path: Path) -> None:
    accounts = Accounts("HV01", {"Administrator": PASSWORD}, tmp_path)
    gate = Gate(accounts, secure=True)
    client = spnego.client("Administrator", "wrong", protocol="ntlm")
    with pytest.raises(Refused) as refused:
        gate.admit(_ntlm(client.step()))
    (_, challenge), *_ = refused.value.response.headers
    token = bytearray(client.step(base64.b64decode(challenge.partition(" ")[2])) or b"")
    token[20:24] = b"\0\0\0\0"  # no NT response
    token[12:16] = (24).to_bytes(2, "little") * 2
    lm_offset = int.from_bytes(token[16:20], "little")
    token[lm_offset + 8 : lm_offset + 24] = bytes(16)
    with pytest.raises(Refused) as refused:
        gate.admit(_ntlm(bytes(token)))
    assert refused.value.response.status == 401


def _ntlm(token: bytes | None) -> Request:
    header = f"Negotiate {base64.b64encode(token or b'').decode()}"
    return Request("POST", "/wsman", {"authorization": header})


@pytest.mark.parametrize(
    "header",
    [
        "Negotiate",
        "Negotiate !!!",
        "Negotiate TlRMTVNTUAADAAAA",
        "CredSSP AAAA",
        "Kerberos YII=",
        "x",
    ],
)
def test_a_senseless_token_gets_a_401_and_the_connection_lives(winrm: WinRM, header: str) -> None:
    request = f"POST /wsman HTTP/1.1\r\nAuthorization: {header}\r\nContent-Length: 0\r\n\r\n"
    with raw_connection(winrm) as line:
        assert answer_to(line, request.encode())[0] == 401
        assert answer_to(line, post(b"", basic="AAAA"))[0] == 401


def test_identify_alone_needs_no_login(winrm: WinRM) -> None:
    with raw_connection(winrm, tls=False) as line:
        request = b"POST /wsman-anon/identify HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
        status, body = answer_to(line, request)
    assert status == 200
    assert b"OS: 10.0.20348 SP: 0.0 Stack: 3.0" in body


def test_no_password_reaches_the_log_or_a_repr(
    winrm: WinRM, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="harness"):
        RunspacePool(connect("basic")).open()
        with pytest.raises(AuthenticationError):
            RunspacePool(connect(password=PASSWORD + "2")).open()
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(winrm._endpoints)  # noqa: SLF001 - what a traceback would show
