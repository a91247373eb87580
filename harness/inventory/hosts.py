"""The ``hosts`` and ``lab`` parts of an inventory."""

from __future__ import annotations

from pathlib import Path

from harness.inventory.model import (
    WINDOWS,
    Authentication,
    ClientCertificate,
    Host,
    LabHost,
    Reference,
    ReferenceKind,
    Transport,
)
from harness.inventory.report import WRITE_INSTEAD
from harness.inventory.rules import second_hop_problem
from harness.inventory.section import Section
from harness.inventory.values import (
    parse_drive,
    parse_env_name,
    parse_host_address,
    parse_keyring_entry,
    parse_loopback,
    parse_name,
    parse_share,
    parse_size,
    parse_windows_path,
)
from harness.units import Bytes, GiB

PORTS = {Transport.HTTP: 5985, Transport.HTTPS: 5986}
RESERVE = 4 * GiB
MOST_PROCESSORS = 1 << 16
NEEDS_TLS = {
    Authentication.BASIC: "basic sends the password unprotected",
    Authentication.CERTIFICATE: "a certificate logs in during the TLS handshake",
}
HOST_KEYS = (
    *("name", "address", "port", "transport", "authentication", "delegate"),
    *("username", "password", "certificate", "verify_tls", "unverified_because", "ca"),
    *("switch", "vlan", "vm_path", "memory_reserve", "memory_budget", "backup_target"),
    *("pool", "machine", "processors_budget"),
)


def read_host(section: Section) -> Host:
    """Read one host."""
    transport = section.choice("transport", Transport, Transport.HTTPS)
    authentication = section.choice("authentication", Authentication, Authentication.NEGOTIATE)
    verify, ca, because = _trust(section, transport)
    certificate = _certificate(section, authentication)
    host = Host(
        name=section.parsed("name", parse_name, ""),
        address=section.parsed("address", parse_host_address, ""),
        port=section.number("port", 1, 65535, PORTS[transport]),
        transport=transport,
        authentication=authentication,
        username=_username(section, authentication),
        password=_password(section, authentication),
        certificate=certificate,
        verify_tls=verify,
        ca=ca,
        switch=section.text("switch"),
        vlan=section.number("vlan", 1, 4094) if section.has("vlan") else None,
        vm_path=section.parsed("vm_path", parse_windows_path, ""),
        memory_reserve=_size(section, "memory_reserve") or RESERVE,
        memory_budget=_size(section, "memory_budget"),
        delegate=section.flag("delegate", default=False),
        unverified_because=because,
        backup_target=section.parsed("backup_target", parse_drive, "")
        if section.has("backup_target")
        else "",
        pool=section.parsed("pool", parse_name, "") if section.has("pool") else "",
        machine=section.parsed("machine", parse_name, "") if section.has("machine") else "",
        processors_budget=section.number("processors_budget", 1, MOST_PROCESSORS)
        if section.has("processors_budget")
        else None,
    )
    section.only(*HOST_KEYS)
    _check(section, host)
    return host


def read_lab_host(section: Section) -> LabHost:
    """Read one host of the embedded lab."""
    lab = LabHost(
        name=section.parsed("name", parse_name, ""),
        windows=section.word("windows", WINDOWS),
        address=section.parsed("address", parse_loopback, ""),
        faults=section.texts("faults", parse_name),
        simulated=section.parsed("simulated", parse_share, 1.0)
        if section.has("simulated")
        else None,
    )
    section.only("name", "windows", "address", "faults", "simulated")
    return lab


def read_reference(section: Section, key: str) -> Reference | None:
    """Read a reference to a secret; nothing of a value that is none is ever quoted."""
    value = section.values.get(key)
    kinds = {kind.value: kind for kind in ReferenceKind}
    if not isinstance(value, dict) or len(value) != 1:
        section.problem(key, WRITE_INSTEAD)
        return None
    ((word, where),) = value.items()
    inner = section.section(key)
    if word not in kinds or not isinstance(where, str) or inner is None:
        section.problem(key, WRITE_INSTEAD)
        return None
    kind = kinds[word]
    if kind is ReferenceKind.FILE:
        return Reference(kind, str(inner.local_path("file")))
    if kind is ReferenceKind.ENV:
        return Reference(kind, inner.parsed("env", parse_env_name, ""))
    return Reference(kind, inner.parsed("keyring", parse_keyring_entry, ""))


def _check(section: Section, host: Host) -> None:
    why = NEEDS_TLS.get(host.authentication)
    if why and host.transport is Transport.HTTP:
        section.problem("authentication", f"{why}; use transport: https, or negotiate")
    if host.delegate and host.authentication is not Authentication.KERBEROS:
        section.problem("delegate", "only Kerberos can delegate by choice; CredSSP always does")
    problem = second_hop_problem(host, host.vm_path)
    if problem:
        section.problem("vm_path", problem)


def _trust(section: Section, transport: Transport) -> tuple[bool, Path | None, str]:
    """Return verify_tls, ca and the reason on record for not verifying.

    An unverified connection needs its reason, as an unpinned SSH key does: whoever reads the file
    later must not have to guess whether it was meant.
    """
    written = [key for key in ("verify_tls", "ca", "unverified_because") if section.has(key)]
    if transport is Transport.HTTP:
        for key in written:
            section.problem(key, "transport is http: there is no TLS to verify; remove it")
        return True, None, ""
    verify = section.flag("verify_tls", default=True)
    ca = section.local_path("ca") if section.has("ca") else None
    if verify and "unverified_because" in written:
        section.problem("unverified_because", "TLS is verified here; remove it")
    if not verify and ca is not None:
        section.problem("ca", "verify_tls is false, so nothing is verified by it; keep one of both")
    return verify, ca, "" if verify else section.text("unverified_because")


def _username(section: Section, authentication: Authentication) -> str:
    if authentication is Authentication.CERTIFICATE:
        if section.has("username"):
            section.problem("username", "a certificate logs in by itself; remove it")
        return ""
    optional = authentication is Authentication.KERBEROS and not section.has("password")
    name = section.text("username") if not optional or section.has("username") else ""
    if ":" in name or "/" in name:
        section.problem(
            "username", "write the user alone (no : or /); the password has its own key"
        )
    return name


def _password(section: Section, authentication: Authentication) -> Reference | None:
    if section.has("password"):
        if authentication is Authentication.CERTIFICATE:
            section.problem("password", "a certificate logs in by itself; remove it")
        return read_reference(section, "password")
    if authentication not in (Authentication.CERTIFICATE, Authentication.KERBEROS):
        section.problem("password", f"missing; {WRITE_INSTEAD}")
    return None


def _certificate(section: Section, authentication: Authentication) -> ClientCertificate | None:
    wanted = authentication is Authentication.CERTIFICATE
    if not wanted:
        if section.has("certificate"):
            section.problem("certificate", "used only with authentication: certificate; remove it")
        return None
    inner = section.section("certificate")
    if inner is None:
        return None
    inner.only("certificate", "key", "key_password")
    password = read_reference(inner, "key_password") if inner.has("key_password") else None
    return ClientCertificate(inner.local_path("certificate"), inner.local_path("key"), password)


def _size(section: Section, key: str) -> Bytes | None:
    return section.parsed(key, parse_size, GiB) if section.has(key) else None
