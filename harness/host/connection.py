"""An inventory's Host → the options of a WS-Man connection, and the words for what goes wrong."""

from __future__ import annotations

from typing import Any

from harness.inventory.credentials import resolve
from harness.inventory.model import (
    Authentication,
    ClientCertificate,
    Host,
    ReferenceKind,
    Transport,
)
from harness.secret import Secret

OPERATION_TIMEOUT = 20  # seconds that the host may hold one long poll
READ_TIMEOUT = 30  # must be longer than the poll
CONNECT_TIMEOUT = 10
UNTRUSTED = "its certificate does not verify"


def wsman_options(host: Host, password: Secret | None) -> dict[str, Any]:
    """Return the keyword arguments of the WS-Man client; they hold the password.

    Raises CredentialError when the key of a client certificate is locked and its password missing.
    """
    return {
        "server": host.address,
        "port": host.port,
        "ssl": host.transport is Transport.HTTPS,
        "auth": host.authentication.value,
        "username": host.username or None,
        "password": password.reveal() if password else None,
        "cert_validation": str(host.ca) if host.ca else host.verify_tls,
        "no_proxy": True,  # a proxy of the environment cannot carry NTLM, and is never meant here
        "operation_timeout": OPERATION_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
        "connection_timeout": CONNECT_TIMEOUT,
        "reconnection_backoff": 0,
        **_extra(host),
    }


def _extra(host: Host) -> dict[str, Any]:
    if host.authentication is Authentication.CERTIFICATE and host.certificate:
        return _certificate(host.certificate)
    if host.authentication is Authentication.KERBEROS:
        return {"negotiate_delegate": host.delegate}
    return {}


def _certificate(given: ClientCertificate) -> dict[str, Any]:
    locked = resolve(given.key_password).reveal() if given.key_password else None
    return {
        "certificate_pem": str(given.certificate),
        "certificate_key_pem": str(given.key),
        "certificate_key_password": locked,
    }


def endpoint(host: Host) -> str:
    """Return where the host is asked: ``http://10.0.0.5:5985``."""
    shown = f"[{host.address}]" if ":" in host.address else host.address
    return f"{host.transport.value}://{shown}:{host.port}"


def login(host: Host) -> str:
    """Return who logs in and where the password came from, never the password itself."""
    if host.authentication is Authentication.CERTIFICATE and host.certificate:
        return f"the certificate {host.certificate.certificate}"
    who = f"user {host.username}" if host.username else "the owner of the Kerberos ticket"
    if host.password is None:
        return who
    places = {
        ReferenceKind.ENV: "environment variable",
        ReferenceKind.FILE: "file",
        ReferenceKind.KEYRING: "keyring entry",
    }
    return f"{who} with the password from {places[host.password.kind]} {host.password.name}"


def advice_for(host: Host, broken: Exception) -> tuple[str, str]:
    """Return what is wrong with reaching the host, and what to do, from a connection's error.

    The errors are told by the names of their classes, so that this file needs no library.
    """
    names = {kind.__name__ for kind in type(broken).__mro__} | {type(broken.__cause__).__name__}
    where = endpoint(host)
    if "SSLError" in names:
        reason = _tls_reason(broken)
        advice = _tls_advice(host) if reason == UNTRUSTED else _port_advice(host)
        return f"TLS to {where} failed: {reason}", advice
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return (
            f"no connection to {where} within {CONNECT_TIMEOUT} s",
            "check that the host is up and that its firewall lets this machine in",
        )
    if names & {"ReadTimeout", "TimeoutError"}:
        return f"{where} accepted the connection but does not answer", _port_advice(host)
    if "ParseError" in names or "WinRMTransportError" in names:
        return f"what answers at {where} is no WinRM service", _port_advice(host)
    if _nobody(broken):
        return f"nothing listens at {where}, or its name is not known", _port_advice(host)
    return f"the connection to {where} broke ({type(broken).__name__})", _port_advice(host)


def _nobody(broken: BaseException) -> bool:
    """Return whether no connection came about at all, from the innermost error."""
    told = repr(broken)
    return "NewConnectionError" in told or "NameResolutionError" in told


def _tls_reason(broken: Exception) -> str:
    told = str(broken)
    if "CERTIFICATE_VERIFY_FAILED" in told or "doesn't match" in told:
        return UNTRUSTED
    return "no TLS is spoken there"


def _tls_advice(host: Host) -> str:
    return (
        f"give `ca:` of host {host.name} the PEM file of the authority that signed it, use the name"
        " in the certificate as address, or for a lab set verify_tls: false with unverified_because"
    )


def _port_advice(host: Host) -> str:
    usual = 5986 if host.transport is Transport.HTTPS else 5985
    return (
        f"check address, transport and port ({host.port}; WinRM over {host.transport.value} is"
        f" usually {usual}) in the inventory; on the host: winrm enumerate winrm/config/listener"
    )
