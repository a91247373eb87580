"""How a host is asked, and what is said when that fails: word by word, without a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.host.connection import advice_for, endpoint, login, wsman_options
from harness.inventory.model import (
    Authentication,
    ClientCertificate,
    Host,
    Reference,
    ReferenceKind,
    Transport,
)
from harness.secret import Secret
from harness.units import GiB

HOST = Host(
    name="hv", address="10.0.0.5", port=5986, transport=Transport.HTTPS,
    authentication=Authentication.NTLM, username="LAB\\tester",
    password=Reference(ReferenceKind.ENV, "HV_PASSWORD"), certificate=None, verify_tls=True,
    ca=None, switch="s", vlan=None, vm_path="C:\\v", memory_reserve=GiB, memory_budget=None,
)  # fmt: skip
PLAIN = replace(HOST, transport=Transport.HTTP, port=80)
HTTPS_ADVICE = (
    "check address, transport and port (5986; WinRM over https is usually 5986) in the inventory;"
    " on the host: winrm enumerate winrm/config/listener"
)
HTTP_ADVICE = (
    "check address, transport and port (80; WinRM over http is usually 5985) in the inventory;"
    " on the host: winrm enumerate winrm/config/listener"
)
CERTIFICATE = ClientCertificate(Path("/c.pem"), Path("/k.pem"))


def named(name: str, said: str = "", cause: BaseException | None = None) -> Exception:
    made: Exception = type(name, (Exception,), {})(said)
    made.__cause__ = cause
    return made


def test_a_connection_is_asked_for_with_everything_that_the_inventory_says() -> None:
    assert wsman_options(HOST, Secret("s3cret")) == {
        "server": "10.0.0.5",
        "port": 5986,
        "ssl": True,
        "auth": "ntlm",
        "username": "LAB\\tester",
        "password": "s3cret",
        "cert_validation": True,
        "no_proxy": True,
        "operation_timeout": 20,
        "read_timeout": 30,
        "connection_timeout": 10,
        "reconnection_backoff": 0,
    }
    bare = wsman_options(replace(PLAIN, username="", verify_tls=False), None)
    found = (bare["username"], bare["password"], bare["ssl"], bare["cert_validation"])
    assert found == (None, None, False, False)
    assert wsman_options(replace(HOST, ca=Path("/ca.pem")), None)["cert_validation"] == "/ca.pem"


def test_kerberos_says_whether_it_delegates_and_nothing_else_does() -> None:
    kerberos = replace(HOST, authentication=Authentication.KERBEROS)
    assert wsman_options(kerberos, None)["negotiate_delegate"] is False
    delegating = replace(kerberos, delegate=True)
    assert wsman_options(delegating, None)["negotiate_delegate"] is True
    assert "negotiate_delegate" not in wsman_options(replace(HOST, delegate=True), None)


def test_a_certificate_logs_in_by_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    host = replace(HOST, authentication=Authentication.CERTIFICATE, certificate=CERTIFICATE)
    given = wsman_options(host, None)
    assert given["auth"] == "certificate"
    assert (given["certificate_pem"], given["certificate_key_pem"]) == ("/c.pem", "/k.pem")
    assert given["certificate_key_password"] is None
    monkeypatch.setenv("KEY_PASSWORD", "locked")
    key = replace(CERTIFICATE, key_password=Reference(ReferenceKind.ENV, "KEY_PASSWORD"))
    locked = wsman_options(replace(host, certificate=key), None)
    assert locked["certificate_key_password"] == "locked"  # noqa: S105  # of this test
    by_password = replace(HOST, certificate=CERTIFICATE)
    assert "certificate_pem" not in wsman_options(by_password, None)
    none = replace(HOST, authentication=Authentication.CERTIFICATE)
    assert "certificate_pem" not in wsman_options(none, None)


def test_an_endpoint_is_shown_as_a_url() -> None:
    assert endpoint(HOST) == "https://10.0.0.5:5986"
    assert endpoint(replace(PLAIN, address="fe80::1")) == "http://[fe80::1]:80"


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (ReferenceKind.ENV, "environment variable"),
        (ReferenceKind.FILE, "file"),
        (ReferenceKind.KEYRING, "keyring entry"),
    ],
)
def test_a_login_names_the_place_of_its_password(kind: ReferenceKind, place: str) -> None:
    said = login(replace(HOST, password=Reference(kind, "the-place")))
    assert said == f"user LAB\\tester with the password from {place} the-place"


def test_a_login_without_a_password_names_who_it_is() -> None:
    assert login(replace(HOST, password=None)) == "user LAB\\tester"
    ticket = "the owner of the Kerberos ticket"
    assert login(replace(HOST, password=None, username="")) == ticket
    certificate = replace(
        HOST, authentication=Authentication.CERTIFICATE, certificate=CERTIFICATE, password=None
    )
    assert login(certificate) == "the certificate /c.pem"
    assert login(replace(certificate, authentication=Authentication.NTLM)) == "user LAB\\tester"
    assert login(replace(certificate, certificate=None)) == "user LAB\\tester"


TLS_ADVICE = (
    "give `ca:` of host hv the PEM file of the authority that signed it, use the name in the"
    " certificate as address, or for a lab set verify_tls: false with unverified_because"
)
TLS = "TLS to https://10.0.0.5:5986 failed: "


@pytest.mark.parametrize(
    ("broken", "said", "advice"),
    [
        (
            named("SSLError", "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
            f"{TLS}its certificate does not verify",
            TLS_ADVICE,
        ),
        (
            named("SSLError", "hostname '10.0.0.5' doesn't match 'hv.lab'"),
            f"{TLS}its certificate does not verify",
            TLS_ADVICE,
        ),
        (named("SSLError", "wrong version number"), f"{TLS}no TLS is spoken there", HTTPS_ADVICE),
        *(
            (
                named(name),
                "no connection to https://10.0.0.5:5986 within 10 s",
                "check that the host is up and that its firewall lets this machine in",
            )
            for name in ("ConnectTimeout", "ConnectTimeoutError")
        ),
        *(
            (
                broken,
                "https://10.0.0.5:5986 accepted the connection but does not answer",
                HTTPS_ADVICE,
            )
            for broken in (named("ReadTimeout"), TimeoutError())
        ),
        *(
            (
                named(name),
                "what answers at https://10.0.0.5:5986 is no WinRM service",
                HTTPS_ADVICE,
            )
            for name in ("ParseError", "WinRMTransportError")
        ),
        *(
            (
                named("ConnectionError", f"{name}: refused"),
                "nothing listens at https://10.0.0.5:5986, or its name is not known",
                HTTPS_ADVICE,
            )
            for name in ("NewConnectionError", "NameResolutionError")
        ),
        (
            named("ChunkedEncodingError", "x"),
            "the connection to https://10.0.0.5:5986 broke (ChunkedEncodingError)",
            HTTPS_ADVICE,
        ),
    ],
)
def test_what_broke_is_said_with_what_to_do(broken: Exception, said: str, advice: str) -> None:
    assert advice_for(HOST, broken) == (said, advice)


def test_the_cause_of_an_error_tells_as_much_as_its_class() -> None:
    wrapped = named("WrappedError", "x", named("ParseError"))
    assert advice_for(PLAIN, wrapped) == (
        "what answers at http://10.0.0.5:80 is no WinRM service",
        HTTP_ADVICE,
    )
