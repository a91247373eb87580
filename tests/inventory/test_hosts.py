"""What a host entry may say, and the sentence for each thing it may not."""

from typing import Any

import pytest

from harness.inventory.model import Authentication, Transport
from harness.units import GiB
from tests.inventory.conftest import Loaded, Problems


def test_defaults_are_the_safe_ones(loaded: Loaded) -> None:
    (host,) = loaded(lambda _: None).hosts
    assert (host.transport, host.port, host.verify_tls) == (Transport.HTTPS, 5986, True)
    assert host.authentication is Authentication.NEGOTIATE
    assert (host.memory_reserve, host.memory_budget, host.vlan) == (4 * GiB, None, None)


def test_http_has_its_own_default_port(loaded: Loaded) -> None:
    assert loaded(lambda d: d["hosts"][0].update(transport="http")).hosts[0].port == 5985


def test_all_problems_are_reported_at_once(problems_of: Problems) -> None:
    def change(content: dict[str, Any]) -> None:
        content["hosts"][0]["adress"] = content["hosts"][0].pop("address")
        content["hosts"][0]["vlan"] = 4095
        content["guests"][0]["memory"] = "2 gigs"

    assert problems_of(change) == (
        "hosts[0].address: missing",
        "hosts[0].vlan: 4095 is no whole number from 1 to 4094",
        "hosts[0].adress: unknown key (did you mean address?)",
        'guests[0].memory: "2 gigs" is no size; write 2048 MiB or 2 GiB',
    )


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("name", "hv 1", '"hv 1" is no name'),
        ("name", 7, 'must be a text; put it in quotes: "7"'),
        ("name", None, "must be a text, is nothing"),
        ("address", "https://hv-1/wsman", "write the host's name or IP address alone"),
        ("address", "hv-1:5985", "the port has its own key"),
        ("address", "hv_1..lab", '"hv_1..lab" is no host name and no IP address'),
        ("port", 0, "0 is no whole number from 1 to 65535"),
        ("port", True, "true is no whole number"),
        ("port", "5985", '"5985" is no whole number'),
        ("transport", "HTTPS", "did you mean https?"),
        ("authentication", "digest", "write negotiate, ntlm, kerberos, basic, credssp"),
        ("username", "admin:hunter2", "write the user alone"),
        ("switch", "", "empty"),
        ("switch", "a\x07b", "has a control character or a line break"),
        ("vlan", "120", "is no whole number"),
        ("vm_path", "hvcert\\vms", "is no absolute Windows path"),
        ("vm_path", "/srv/vms", "is no absolute Windows path"),
        ("vm_path", "D:vms", "is no absolute Windows path"),
        ("vm_path", "D:/vms", "(or a slash)"),
        ("vm_path", "D:\\a\\..\\b", "'..' part"),
        ("vm_path", "\\\\?\\D:\\vms", "has a character that no Windows path has"),
        ("memory_reserve", 4096, 'must be a text; put it in quotes: "4096"'),
        ("memory_budget", "3 MiB", '"3 MiB" is no multiple of 2 MiB; write 2 MiB or 4 MiB'),
        ("delegate", True, "only Kerberos can delegate by choice"),
        ("certificate", {}, "used only with authentication: certificate"),
        ("verify_tls", "no", '"no" is neither true nor false'),
        ("unverified_because", "lab", "TLS is verified here"),
    ],
)
def test_a_wrong_value_has_its_sentence(
    problems_of: Problems, key: str, value: object, said: str
) -> None:
    (problem,) = problems_of(lambda d: d["hosts"][0].update({key: value}))
    assert problem.startswith(f"hosts[0].{key}: ")
    assert said in problem


def test_basic_is_refused_over_http(problems_of: Problems) -> None:
    (said,) = problems_of(lambda d: d["hosts"][0].update(authentication="basic", transport="http"))
    assert said.startswith("hosts[0].authentication: basic sends the password unprotected")


def test_unverified_tls_needs_its_reason(problems_of: Problems, loaded: Loaded) -> None:
    said = problems_of(lambda d: d["hosts"][0].update(verify_tls=False))
    assert said == ("hosts[0].unverified_because: missing",)
    reason = {"verify_tls": False, "unverified_because": "isolated lab"}
    assert loaded(lambda d: d["hosts"][0].update(reason)).hosts[0].unverified_because


def test_tls_settings_over_http_are_refused(problems_of: Problems) -> None:
    (said,) = problems_of(lambda d: d["hosts"][0].update(transport="http", ca="/ca.pem"))
    assert said.startswith("hosts[0].ca: transport is http")


def test_a_certificate_login_needs_certificate_and_key_and_no_password(
    problems_of: Problems,
) -> None:
    said = problems_of(
        lambda d: d["hosts"][0].update(authentication="certificate", certificate={"key": "k.pem"})
    )
    assert [one.split(": ")[0] for one in said] == [
        "hosts[0].certificate.certificate",
        "hosts[0].username",
        "hosts[0].password",
    ]


def test_a_certificate_login_is_read(loaded: Loaded) -> None:
    def change(content: dict[str, Any]) -> None:
        host = content["hosts"][0]
        del host["username"], host["password"]
        host["authentication"] = "certificate"
        host["certificate"] = {"certificate": "/c.pem", "key": "k.pem"}

    read = loaded(change)
    assert read.hosts[0].certificate
    assert read.hosts[0].certificate.key == read.path.parent / "k.pem"  # relative to the file


def test_kerberos_may_use_the_ticket_cache(loaded: Loaded) -> None:
    def change(content: dict[str, Any]) -> None:
        del content["hosts"][0]["username"], content["hosts"][0]["password"]
        content["hosts"][0]["authentication"] = "kerberos"

    host = loaded(change).hosts[0]
    assert (host.username, host.password) == ("", None)


@pytest.mark.parametrize(
    ("login", "works"),
    [
        ({"authentication": "negotiate"}, False),
        ({"authentication": "ntlm"}, False),
        ({"authentication": "basic"}, False),
        ({"authentication": "kerberos"}, False),
        ({"authentication": "kerberos", "delegate": True}, True),
        ({"authentication": "credssp"}, True),
    ],
)
@pytest.mark.parametrize("where", ["vm_path", "template"])
def test_a_share_needs_a_login_that_can_delegate(
    problems_of: Problems,
    loaded: Loaded,
    login: dict[str, Any],
    works: bool,  # noqa: FBT001
    where: str,
) -> None:
    def change(content: dict[str, Any]) -> None:
        content["hosts"][0].update(login)
        if where == "vm_path":
            content["hosts"][0]["vm_path"] = "\\\\files\\hvcert\\vms"
        else:
            content["guests"][0]["template"]["path"] = "\\\\files\\hvcert\\a.vhdx"

    if works:
        assert loaded(change).hosts
    else:
        (said,) = problems_of(change)
        assert "second hop: use CredSSP, Kerberos with delegation" in said
        assert said.startswith(("hosts[0].vm_path: ", "guests[0].template.path: "))


def test_host_names_are_unique_without_regard_to_case(problems_of: Problems) -> None:
    said = problems_of(lambda d: d["hosts"].append({**d["hosts"][0], "name": "HV-1"}))
    assert said == ("hosts[1].name: HV-1 is hosts[0] already",)


@pytest.mark.parametrize("key", ["hosts", "guests", "lab"])
def test_an_empty_list_is_a_problem(problems_of: Problems, key: str) -> None:
    assert any(
        one.startswith(f"{key}: an empty list")
        for one in problems_of(lambda d: d.update({key: []}))
    )


@pytest.mark.parametrize("value", ["hv-1", {"name": "hv-1"}, None])
def test_hosts_must_be_a_list(problems_of: Problems, value: object) -> None:
    assert "hosts: must be a list, is " in problems_of(lambda d: d.update(hosts=value))[0]


def test_a_lab_host_may_be_broken_on_purpose_in_ways_that_are_words(problems_of: Problems) -> None:
    def broken(content: dict[str, Any]) -> None:
        content["lab"] = [
            {"name": "hv-1", "windows": "2019", "address": "127.86.0.1", "faults": ["a b"]},
        ]
        content["hosts"][0]["address"] = "127.86.0.1"

    assert problems_of(broken) == (
        'lab[0].faults[0]: "a b" is no name; use up to 64 letters, digits, dots, hyphens,'
        " underscores",
    )


def test_a_lab_host_is_a_host_with_the_same_address(problems_of: Problems) -> None:
    def change(content: dict[str, Any]) -> None:
        content["lab"] = [
            {"name": "hv-1", "windows": 2019, "address": "127.86.0.1"},
            {"name": "hv-9", "windows": "2012", "address": "10.0.0.1"},
        ]

    assert problems_of(change) == (
        'lab[0].windows: must be a text; put it in quotes: "2019"',
        'lab[1].windows: "2012" is unknown (did you mean 2012r2?)',
        'lab[1].address: "10.0.0.1" is no address of 127.0.0.0/8; a lab listens there only',
        "lab[0].address: 127.86.0.1, but host hv-1 has the address hv-1.lab.example",
        "lab[1].name: no host hv-9 under hosts",
    )
