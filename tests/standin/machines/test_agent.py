"""The guest's agent: a small fake one at the other end of a real socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from harness.standin.agent import Agent, Interface
from harness.standin.machines import GuestReport, NicSpec
from harness.standin.watch import GuestWatch, key_values, private, reachable

Answers = dict[str, Any]
Start = Callable[[Answers], Agent]
MOMENT = timedelta(milliseconds=50)
ETH0 = {
    "name": "ens8",
    "hardware-address": "52:54:00:00:00:01",
    "ip-addresses": [
        {"ip-address-type": "ipv4", "ip-address": "10.0.2.15", "prefix": 24},
        {"ip-address-type": "ipv6", "ip-address": "fe80::1", "prefix": 64},
    ],
}
OS = {
    "id": "debian",
    "name": "Debian GNU/Linux",
    "version-id": "12",
    "kernel-release": "6.1.0-56-cloud-amd64",
    "machine": "x86_64",
}
FACTS = (
    ("FullyQualifiedDomainName", "debian-12"),
    ("OSName", "Debian GNU/Linux"),
    ("OSMajorVersion", "12"),
    ("OSVersion", "6.1.0"),
    ("OSBuildNumber", "6.1.0-56-cloud-amd64"),
    ("ProcessorArchitecture", "x86_64"),
)
EVERYTHING: Answers = {
    "guest-ping": {},
    "guest-network-get-interfaces": [{"name": "lo"}, ETH0],
    "guest-get-osinfo": OS,
    "guest-get-host-name": {"host-name": "debian-12"},
}


def serve(sock: socket.socket, answers: Answers, asked: list[Any]) -> None:
    """Answer as qemu-ga does: a 0xFF is an error to its parser, and begins delimited answers."""
    with sock, sock.makefile("rwb") as lines:
        for line in lines:
            if line.startswith(b"\xff"):
                lines.write(b'{"error": {"class": "GenericError", "desc": "JSON parse error"}}\n')
            message = json.loads(line.removeprefix(b"\xff"))
            asked.append(message)
            command = message["execute"]
            if command == "guest-sync-delimited":
                token = json.dumps({"return": message["arguments"]["id"]}).encode()
                lines.write(b"\xff" + token + b"\n")
            elif command in answers:
                lines.write(json.dumps({"return": answers[command]}).encode() + b"\n")
            elif command != "guest-shutdown":
                lines.write(b'{"error": {"class": "CommandNotFound", "desc": "unknown"}}\n')
            lines.flush()


@pytest.fixture
def asked() -> list[Any]:
    return []


@pytest.fixture
def start(asked: list[Any]) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(answers: Answers) -> Agent:
            ours, theirs = socket.socketpair()
            thread = Thread(target=serve, args=(theirs, answers, asked))
            thread.start()
            agent = Agent(ours)
            stack.callback(thread.join)
            stack.callback(agent.close)
            return agent

        yield begin


def test_each_call_is_preceded_by_a_sync_of_its_own(start: Start, asked: list[Any]) -> None:
    agent = start(EVERYTHING)
    assert agent.ping()
    assert agent.ping()
    syncs = [m["arguments"]["id"] for m in asked if m["execute"] == "guest-sync-delimited"]
    assert [m["execute"] for m in asked][1::2] == ["guest-ping", "guest-ping"]
    assert len(set(syncs)) == 2


def test_interfaces_carry_their_addresses(start: Start) -> None:
    found = start(EVERYTHING).interfaces()
    assert found[1] == Interface("ens8", "52:54:00:00:00:01", ("10.0.2.15",), ("fe80::1",))


def test_names_and_versions_are_read(start: Start) -> None:
    agent = start(EVERYTHING)
    assert key_values(agent.os_info(), agent.host_name()) == FACTS


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ({"exited": True, "exitcode": 3, "out-data": "aGV5", "err-data": "IQ=="}, (3, "hey!")),
        ({"exited": True, "exitcode": 0}, (0, "")),
        ({"exited": False}, None),
    ],
)
def test_a_script_is_run_to_its_end(
    start: Start, asked: list[Any], state: Answers, found: tuple[int, str] | None
) -> None:
    agent = start({"guest-exec": {"pid": 7}, "guest-exec-status": state})
    assert agent.run("echo $0", 10 * MOMENT) == found
    (begun,) = (m["arguments"] for m in asked if m["execute"] == "guest-exec")
    assert (begun["path"], begun["arg"]) == ("/bin/sh", ["-c", "echo $0"])


def test_a_script_ends_without_an_answer_when_its_guest_has_another_agent(start: Start) -> None:
    assert start({"guest-exec": {"pid": 7}}).run("true", timedelta(minutes=1)) is None
    assert start({}).run("true", timedelta(minutes=1)) is None


def test_a_silent_agent_is_no_heartbeat() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        agent = Agent(ours)
        assert not agent.ping(MOMENT)
        assert agent.interfaces(MOMENT) == ()
        assert agent.os_info(MOMENT) == {}
        assert agent.host_name(MOMENT) is None
        assert agent.freeze(MOMENT) is None
        assert not agent.shut_down(MOMENT)
        agent.close()


def test_a_machine_that_ended_is_no_heartbeat() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    agent = Agent(ours)
    assert not agent.ping()
    agent.close()


def test_late_answers_of_calls_given_up_are_skipped() -> None:
    ours, theirs = socket.socketpair()
    agent = Agent(ours)
    assert not agent.ping(MOMENT)  # its sync is read only now that the agent has started
    thread = Thread(target=serve, args=(theirs, EVERYTHING, []))
    thread.start()
    assert agent.host_name() == "debian-12"
    agent.close()
    thread.join()


def test_a_shutdown_is_a_poweroff_as_the_hypervisors_driver_does_it(
    start: Start, asked: list[Any]
) -> None:
    assert start(EVERYTHING | {"guest-exec": {"pid": 7}}).shut_down()
    assert asked[-1]["arguments"] == {"path": "/sbin/poweroff"}


def test_a_shutdown_without_an_answer_was_accepted(start: Start) -> None:
    assert start(EVERYTHING).shut_down(timedelta(milliseconds=200)) is True


def test_the_clock_is_set_in_nanoseconds(start: Start, asked: list[Any]) -> None:
    assert start({"guest-set-time": {}}).set_time(datetime(2026, 1, 1, tzinfo=UTC))
    assert asked[-1]["arguments"] == {"time": 1767225600_000_000_000}


def test_freezing_tells_how_many_file_systems(start: Start) -> None:
    agent = start({"guest-fsfreeze-freeze": 2, "guest-fsfreeze-thaw": 2})
    assert (agent.freeze(), agent.thaw()) == (2, 2)


def test_an_adapter_counts_once_the_guest_gave_it_an_address() -> None:
    nics = (NicSpec("a", "127.87.0.1"), NicSpec("b", "127.87.0.2"), NicSpec("c", None))
    up = Interface("x", "a", ("10.0.2.15",))
    only_ipv6 = Interface("y", "b", (), ("fe80::2",))
    unswitched = Interface("z", "c", ("10.0.4.15",))
    assert reachable(nics, (up, only_ipv6, unswitched)) == ("127.87.0.1",)


def test_an_adapter_on_a_private_switch_has_the_address_that_the_guest_gave_it() -> None:
    nics = (NicSpec("a", "127.87.0.1"), NicSpec("b", None, UUID(int=1)))
    seen = (Interface("x", "a", ("10.0.2.15",)), Interface("y", "b", ("10.99.0.1",)))
    assert private(nics, seen) == (("b", "10.99.0.1"),)


def test_a_report_has_heartbeat_addresses_and_facts(start: Start, asked: list[Any]) -> None:
    watch = GuestWatch(
        start(EVERYTHING), (NicSpec("52:54:00:00:00:01", "127.87.0.1"),), lambda: True
    )
    expected = GuestReport(heartbeat=True, addresses=("127.87.0.1",), facts=FACTS)
    assert watch.report() == expected
    count = len(asked)
    assert watch.report() == expected
    assert len(asked) == count  # from memory
    watch.close()


def test_a_report_does_not_ask_a_guest_whose_agent_is_not_there(
    start: Start, asked: list[Any]
) -> None:
    watch = GuestWatch(start(EVERYTHING), (), lambda: False)
    assert watch.report() == GuestReport()
    assert asked == []
    watch.close()


def test_a_report_does_not_wait_for_a_guest_that_hangs() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        watch = GuestWatch(Agent(ours), (), lambda: True)
        assert watch.report() == GuestReport()
        watch.close()


def test_every_report_is_asked_anew_once_the_last_one_is_old() -> None:
    ours, theirs = socket.socketpair()
    asked: list[int] = []

    def listening() -> bool:
        asked.append(1)
        return False

    with theirs:
        watch = GuestWatch(Agent(ours), (), listening)
        for _ in range(200):
            watch.forget()
            watch.report()
        watch.close()
    assert len(asked) == 200
