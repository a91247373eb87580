"""Which hosts a lab is asked to play: what is accepted, and what each refusal says."""

import pytest

from harness.errors import LabError
from harness.standin.hostlist import guest_networks, parse_host, parse_hosts
from harness.standin.state import HostEntry


def test_a_host_without_ports_has_those_of_winrm() -> None:
    assert parse_host("hv-2019:2019:127.86.0.19") == HostEntry(
        "hv-2019", "2019", "127.86.0.19", 5985, 5986
    )


def test_a_host_may_name_its_ports_and_zero_is_a_free_one() -> None:
    assert parse_host("a:2012r2:127.0.0.1:0:8443").https_port == 8443


def test_no_host_at_all_means_the_host_of_the_embedded_inventory() -> None:
    assert str(parse_hosts([])[0]) == "hv-2019:2019:127.86.0.19:5985:5986"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hv", "NAME:WINDOWS:ADDRESS"),
        ("hv:2019:127.0.0.1:1:2:3", "NAME:WINDOWS:ADDRESS"),
        ("hv::127.0.0.1", "NAME:WINDOWS:ADDRESS"),
        ("hv:2008:127.0.0.1", "there are 2012r2, 2016, 2019, 2022, 2025"),
        ("hv:2019:10.0.0.1", "no loopback address"),
        ("hv:2019:localhost", "no IPv4 address"),
        ("hv:2019:127.0.0.1:65536", "no port"),
        ("hv:2019:127.0.0.1:-1", "no port"),
        ("../x:2019:127.0.0.1", "letters, digits and hyphens"),
        ("run:2019:127.0.0.1", "no host name"),
    ],
)
def test_a_wrong_host_is_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(LabError, match=said):
        parse_host(text)


def test_two_hosts_with_one_name_are_refused() -> None:
    with pytest.raises(LabError, match="two hosts are named hv"):
        parse_hosts(["hv:2019:127.0.0.1", "HV:2016:127.0.0.2"])


def test_two_hosts_at_one_address_and_port_are_refused() -> None:
    with pytest.raises(LabError, match=r"127\.0\.0\.1:5985 is asked for twice"):
        parse_hosts(["a:2019:127.0.0.1", "b:2016:127.0.0.1"])


def test_hosts_that_share_an_address_do_not_share_the_addresses_of_guests() -> None:
    hosts = parse_hosts(["a:2019:127.86.0.19:0:0", "b:2016:127.86.0.19:0:0", "c:2016:127.86.9.20"])
    assert guest_networks(hosts) == {"a": "127.87.19.", "b": "127.87.20.", "c": "127.87.21."}
