"""What is asked of two guests for a web server and a load on it, and what its files say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from harness.distro import FAMILIES
from harness.errors import EvidenceError, GuestLacksTool
from harness.guest.scripts import text_of
from harness.guest.web import Client, end_server, equip, start_server
from harness.units import MiB
from tests.checks.conftest import RECORDED
from tests.guest.answering import AnsweringGuest

DEBIAN = FAMILIES["debian"]
HAS = {
    "ls -dL -- /usr/local": "/usr/sbin/apache2\n",
    "ls -dL -- /usr/lib/apache2": "/usr/lib/apache2/modules/mod_lua.so\n",
}
URL = "http://10.99.0.1:8080/held?48"
FINE = (RECORDED / "web" / "ab-fine.txt").read_text()


def test_a_guest_gets_the_server_s_files_and_swap() -> None:
    guest = AnsweringGuest(HAS)
    assert equip(guest, DEBIAN, 2304 * MiB)
    asked = "\n".join(guest.asked)
    assert "fallocate -l 2415919104 /hvcert-swap\nmkswap /hvcert-swap\nswapon /hvcert-swap" in asked
    assert "tee -- /run/hvcert-web/web.conf" in asked
    assert "tee -- /run/hvcert-web/web.lua" in asked


@pytest.mark.parametrize(
    ("family", "lacks", "advice"),
    [
        ("debian", "mod_lua.so (package apache2)", "apt-get install -y apache2"),
        ("rhel", "mod_lua.so (package httpd mod_lua)", "yum install -y httpd mod_lua"),
        ("suse", "mod_lua.so (package apache2-prefork)", "install apache2-prefork"),
    ],
)
def test_a_guest_without_mod_lua_is_told_what_to_install(
    family: str, lacks: str, advice: str
) -> None:
    web = FAMILIES[family].web
    guest = AnsweringGuest({"ls -dL -- /usr/local": f"/usr/sbin/{web.program}\n"})
    with pytest.raises(GuestLacksTool) as caught:
        equip(guest, FAMILIES[family], 1 * MiB)
    assert lacks in str(caught.value)
    assert str(caught.value).endswith(advice)


def test_the_server_starts_anew_with_as_many_processes_as_clients() -> None:
    guest = AnsweringGuest({"systemctl kill": 1, "systemctl stop": 5})  # it was not there
    start_server(guest, DEBIAN, 16)
    assert guest.asked[1] == "systemctl stop hvcert-web.service"
    assert "apache2 -C 'Define HVCERT_MODULES /usr/lib/apache2/modules'" in guest.asked[2]
    assert "-C 'Define HVCERT_WORKERS 16' -f /run/hvcert-web/web.conf" in guest.asked[2]


def test_a_server_is_killed_before_its_end_is_awaited() -> None:
    guest = AnsweringGuest({})
    end_server(guest)
    assert guest.asked == [
        "systemctl kill --signal=SIGKILL hvcert-web.service",
        "systemctl stop hvcert-web.service",
    ]


def test_the_configuration_uses_what_the_command_line_defines_and_no_other_file() -> None:
    conf = text_of("web.conf")
    assert conf.count("${HVCERT_WORKERS}") == 3
    assert conf.count("${HVCERT_MODULES}") == 4
    assert '"/run/hvcert-web/web.lua"' in conf
    assert "Include" not in conf


def test_a_load_is_begun_awaited_and_read() -> None:
    states = {"systemctl show": "ActiveState=active\n", "cat -- /run/hvcert-web-load-2": FINE}
    guest = AnsweringGuest(states)
    client = Client(guest, URL)
    client.begin(8, timedelta(minutes=10), timedelta(minutes=3))
    client.stop()
    client.begin(8, timedelta(seconds=20), timedelta(seconds=30))
    assert guest.asked[1] == "systemctl stop hvcert-web-load-1.service"
    assert guest.asked[2].endswith(f"ab -q -r -s 30 -t 20 -n 1000000 -c 8 '{URL}'")
    assert not client.ended()
    guest.replies["systemctl show"] = "ActiveState=inactive\n"
    assert client.ended()
    assert client.read().value.answered == 2666


def test_a_state_that_is_not_told_is_an_error() -> None:
    with pytest.raises(EvidenceError):
        Client(AnsweringGuest({}), URL, 1).ended()


def test_one_request_tells_whether_the_server_answers() -> None:
    nobody = (RECORDED / "web" / "ab-nobody.txt").read_text()
    assert Client(AnsweringGuest({"ab ": nobody}), URL).one_request().value.errors == 1.0
    assert Client(AnsweringGuest({"ab ": FINE}), URL).one_request().value.errors == 0.0
