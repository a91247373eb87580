"""Can the host be reached at all: TCP, TLS, and WS-Man with the wanted authentication."""

from __future__ import annotations

import http.client
import socket
import ssl
from datetime import timedelta

from harness.doctor.finding import Check, Said, good, open_question, wrong
from harness.inventory.model import Authentication, Host, Transport

LIMIT = timedelta(seconds=10)
REACHABLE, TLS, WSMAN = "reachable", "TLS", "WS-Man"
SCHEMES = {
    Authentication.NEGOTIATE: ("negotiate",),
    Authentication.NTLM: ("negotiate", "ntlm"),
    Authentication.KERBEROS: ("kerberos", "negotiate"),
    Authentication.BASIC: ("basic",),
    Authentication.CREDSSP: ("credssp",),
}
TURN_ON = {
    Authentication.BASIC: r"on the host: Set-Item WSMan:\localhost\Service\Auth\Basic $true",
    Authentication.CREDSSP: "on the host: Enable-WSManCredSSP -Role Server",
}
LISTEN = "on the host: Enable-PSRemoting -Force (for https also a listener with a certificate)"
PORTS = "correct port and transport: 5985 speaks http, 5986 https"
TRUST = (
    "name the CA with ca:, or use the name in the certificate as address; in an isolated lab "
    "verify_tls: false with unverified_because: WHY"
)


def _connect(host: Host) -> socket.socket:
    return socket.create_connection((host.address, host.port), LIMIT.total_seconds())


def tls_context(host: Host) -> ssl.SSLContext:
    """Return the trust that the inventory asks for; raises OSError when the CA cannot be read."""
    context = ssl.create_default_context(cafile=host.ca)
    if not host.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def reachable(host: Host) -> Said:
    """Tell whether something listens at the host's port."""
    where = f"{host.address} port {host.port}"
    try:
        _connect(host).close()
    except socket.gaierror:
        return wrong(f"the name {host.address} cannot be resolved", "correct address, or the DNS")
    except TimeoutError:
        seconds = LIMIT.total_seconds()
        advice = "is the host on? does a firewall on the way drop the port?"
        return wrong(f"{where} did not answer within {seconds:.0f} s", advice)
    except ConnectionRefusedError:
        return wrong(f"nothing listens at {where}", f"correct port and transport; {LISTEN}")
    except OSError as error:
        return wrong(f"{where}: {error.strerror or error}", "check the network to the host")
    return good(f"{where} answers")


def tls_verifies(host: Host) -> Said:
    """Tell whether the certificate is trusted under the name that the inventory uses."""
    if host.transport is Transport.HTTP:
        return good("not used: messages over http are encrypted by the authentication")
    try:
        context = tls_context(host)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or type(error).__name__
        return wrong(f"the CA file {host.ca} cannot be used: {why}", "correct ca")
    return _handshake(host, context)


def _handshake(host: Host, context: ssl.SSLContext) -> Said:
    try:
        with context.wrap_socket(_connect(host), server_hostname=host.address) as secured:
            version = secured.version()
    except ssl.SSLCertVerificationError as error:
        return wrong(f"the certificate is not trusted: {error.verify_message}", TRUST)
    except OSError as error:
        return wrong(f"no TLS at port {host.port} ({type(error).__name__})", PORTS)
    if not host.verify_tls:
        return good(f"{version}, not verified on purpose: {host.unverified_because}")
    return good(f"{version}, verified")


def wsman_answers(host: Host) -> Said:
    """Tell whether WS-Man is there and offers the authentication that the inventory names."""
    try:
        status, offered = _knock(host)
    except (http.client.HTTPException, OSError) as error:
        return wrong(f"no HTTP answer at port {host.port} ({type(error).__name__})", PORTS)
    if status != http.HTTPStatus.UNAUTHORIZED:
        advice = "correct address and port: this is another service, or a proxy"
        return wrong(f"/wsman answered {status} where WinRM asks for a login (401)", advice)
    wanted = SCHEMES.get(host.authentication)
    if wanted is None:
        return good("WS-Man answers")
    if not set(wanted) & set(offered):
        there = ", ".join(offered) or "nothing"
        advice = TURN_ON.get(host.authentication, "use an authentication that the host offers")
        return wrong(f"{host.authentication.value} is not offered (there: {there})", advice)
    return good(f"WS-Man answers and offers {', '.join(offered)}")


def _knock(host: Host) -> tuple[int, tuple[str, ...]]:
    """POST nothing without a login; return the status and the schemes of WWW-Authenticate."""
    connection = _connection(host)
    try:
        connection.request(
            "POST", "/wsman", b"", {"Content-Type": "application/soap+xml;charset=UTF-8"}
        )
        answer = connection.getresponse()
        headers = answer.headers.get_all("WWW-Authenticate") or []
        # e.g. "Negotiate", "Basic realm=...", also several in one line
        schemes = (
            part.split()[0].lower() for line in headers for part in line.split(",") if part.strip()
        )
        return answer.status, tuple(scheme for scheme in schemes if "=" not in scheme)
    finally:
        connection.close()


def _connection(host: Host) -> http.client.HTTPConnection:
    seconds = LIMIT.total_seconds()
    if host.transport is Transport.HTTP:
        return http.client.HTTPConnection(host.address, host.port, timeout=seconds)
    context = tls_context(host)
    return http.client.HTTPSConnection(host.address, host.port, timeout=seconds, context=context)


def client_certificate(host: Host) -> Said:
    """Tell whether the files of a certificate login are there."""
    if host.certificate is None:
        return open_question("no client certificate is used")
    for path in (host.certificate.certificate, host.certificate.key):
        if not path.is_file():
            return wrong(f"{path} is not there", "correct certificate and key")
    return good("certificate and key are there")


REACH_CHECKS: tuple[Check[Host], ...] = (
    Check(REACHABLE, reachable),
    Check(TLS, tls_verifies, needs=(REACHABLE,)),
    Check(WSMAN, wsman_answers, needs=(TLS,)),
)
