"""Reaching a host, over real sockets: what listens, what it speaks, whom it is."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.doctor.reach import client_certificate, reachable, tls_verifies, wsman_answers
from harness.inventory.load import load
from harness.inventory.model import Authentication, ClientCertificate, Host, Transport

INVENTORIES = Path(__file__).parents[2] / "inventories"
Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def host() -> Host:
    (found,) = load(INVENTORIES / "embedded.yaml").hosts
    return replace(found, address="127.0.0.1")


def asks_for(*schemes: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(401)
        for scheme in schemes:
            handler.send_header("WWW-Authenticate", scheme)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def says(status: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@contextmanager
def served(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a refused handshake is expected
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a self-signed certificate for 127.0.0.1; the file is also the CA to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hv-1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "hv-1.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def https_port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with served(asks_for("Negotiate", 'Basic realm="WSMAN"'), context) as port:
        yield port


def test_a_port_where_nothing_listens_is_refused_with_what_to_turn_on(host: Host) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        said = reachable(replace(host, port=unused.getsockname()[1]))
    assert said.ok is False
    assert said.text.startswith("nothing listens at 127.0.0.1 port ")
    assert "Enable-PSRemoting" in said.advice


def test_a_name_that_does_not_resolve_is_said(host: Host) -> None:
    said = reachable(replace(host, address="hv-1.invalid"))
    assert (said.ok, said.text) == (False, "the name hv-1.invalid cannot be resolved")


def test_winrm_over_http_is_recognised_by_its_login_schemes(host: Host) -> None:
    with served(asks_for("Negotiate", "Kerberos", "CredSSP")) as port:
        here = replace(host, port=port)
        assert reachable(here).ok
        assert tls_verifies(here).ok
        assert wsman_answers(here).text == "WS-Man answers and offers negotiate, kerberos, credssp"


@pytest.mark.parametrize(
    ("authentication", "offered", "ok"),
    [
        (Authentication.NTLM, "Negotiate", True),
        (Authentication.KERBEROS, "Negotiate", True),
        (Authentication.KERBEROS, 'Basic realm="WSMAN"', False),
        (Authentication.BASIC, 'Negotiate, Basic realm="WSMAN"', True),
        (Authentication.BASIC, "Negotiate", False),
        (Authentication.CREDSSP, "Negotiate", False),
        (Authentication.CERTIFICATE, "Negotiate", True),
    ],
)
def test_an_authentication_that_is_not_offered_is_said(
    host: Host,
    authentication: Authentication,
    offered: str,
    ok: bool,  # noqa: FBT001
) -> None:
    with served(asks_for(offered)) as port:
        said = wsman_answers(replace(host, port=port, authentication=authentication))
    assert said.ok is ok
    assert said.ok or f"{authentication.value} is not offered" in said.text


def test_credssp_that_is_off_says_how_to_turn_it_on(host: Host) -> None:
    with served(asks_for("Negotiate")) as port:
        said = wsman_answers(replace(host, port=port, authentication=Authentication.CREDSSP))
    assert said.advice == "on the host: Enable-WSManCredSSP -Role Server"


@pytest.mark.parametrize("status", [200, 404, 502])
def test_another_http_service_is_not_taken_for_winrm(host: Host, status: int) -> None:
    with served(says(status)) as port:
        said = wsman_answers(replace(host, port=port))
    assert (said.ok, said.text) == (
        False,
        f"/wsman answered {status} where WinRM asks for a login (401)",
    )


def test_a_certificate_that_is_not_trusted_is_said_with_the_ways_out(
    host: Host, https_port: int
) -> None:
    said = tls_verifies(replace(host, port=https_port, transport=Transport.HTTPS))
    assert said.ok is False
    assert said.text.startswith("the certificate is not trusted: ")
    assert "name the CA with ca:" in said.advice


def test_a_ca_makes_the_certificate_trusted(host: Host, https_port: int, certificate: Path) -> None:
    here = replace(host, port=https_port, transport=Transport.HTTPS, ca=certificate)
    assert tls_verifies(here).text.endswith(", verified")
    assert wsman_answers(here).ok


def test_a_certificate_of_another_name_is_not_trusted(
    host: Host, https_port: int, certificate: Path
) -> None:
    here = replace(
        host, port=https_port, transport=Transport.HTTPS, ca=certificate, address="localhost"
    )
    assert tls_verifies(here).ok is False


def test_tls_that_is_unverified_on_purpose_says_why(host: Host, https_port: int) -> None:
    here = replace(
        host,
        port=https_port,
        transport=Transport.HTTPS,
        verify_tls=False,
        unverified_because="isolated lab",
    )
    assert tls_verifies(here).text.endswith("not verified on purpose: isolated lab")
    assert wsman_answers(here).ok


def test_a_ca_file_that_is_missing_is_said(host: Host, https_port: int, tmp_path: Path) -> None:
    here = replace(host, port=https_port, transport=Transport.HTTPS, ca=tmp_path / "none.pem")
    assert "none.pem cannot be used: No such file" in tls_verifies(here).text


def test_https_against_an_http_port_names_the_ports(host: Host) -> None:
    with served(asks_for("Negotiate")) as port:
        said = tls_verifies(replace(host, port=port, transport=Transport.HTTPS))
    assert said.ok is False
    assert "5985 speaks http, 5986 https" in said.advice


def test_http_against_an_https_port_names_the_ports(host: Host, https_port: int) -> None:
    said = wsman_answers(replace(host, port=https_port))
    assert said.ok is False
    assert "5985 speaks http, 5986 https" in said.advice


def test_a_client_certificate_that_is_missing_is_said(host: Host, tmp_path: Path) -> None:
    files = ClientCertificate(tmp_path / "c.pem", tmp_path / "k.pem")
    assert "c.pem is not there" in client_certificate(replace(host, certificate=files)).text
    for path in (files.certificate, files.key):
        path.touch()
    assert client_certificate(replace(host, certificate=files)).ok
