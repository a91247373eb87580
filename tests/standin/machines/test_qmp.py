"""The control channel against a socket whose other end is this test."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread

import pytest

from harness.standin.machines import MachineError
from harness.standin.qmp import Qmp

SOON = timedelta(seconds=5)
GREETING: dict[str, object] = {"QMP": {"version": {}, "capabilities": []}}


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def session(sock: socket.socket) -> Qmp:
    return Qmp(sock, "vm-1", lambda: "exit status 1: qemu: no such disk")


def say(sock: socket.socket, *messages: object) -> None:
    for message in messages:
        sock.sendall(json.dumps(message).encode() + b"\r\n")


def test_a_session_begins_with_the_greeting(ends: tuple[socket.socket, socket.socket]) -> None:
    say(ends[1], GREETING, {"return": {}, "id": 1})
    session(ends[0]).negotiate(SOON)
    assert json.loads(ends[1].recv(1000))["execute"] == "qmp_capabilities"


def test_events_are_kept_and_do_not_disturb(ends: tuple[socket.socket, socket.socket]) -> None:
    qmp = session(ends[0])
    say(ends[1], {"event": "STOP", "data": {}}, {"return": {"status": "paused"}, "id": 1})
    assert qmp.execute("query-status") == {"status": "paused"}
    assert [event["event"] for event in qmp.events] == ["STOP"]


def test_a_refusal_says_what_qemu_said(ends: tuple[socket.socket, socket.socket]) -> None:
    say(ends[1], {"error": {"class": "GenericError", "desc": "no balloon"}, "id": 1})
    with pytest.raises(MachineError, match="vm-1: query-balloon: no balloon"):
        session(ends[0]).execute("query-balloon")


def test_a_late_answer_is_not_taken_for_the_next_one(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    qmp = session(ends[0])
    with pytest.raises(MachineError, match="did not answer stop in time"):
        qmp.execute("stop", within=timedelta(milliseconds=20))
    say(ends[1], {"return": "late", "id": 1}, {"return": "right", "id": 2})
    assert qmp.execute("query-name") == "right"


def test_an_answer_may_come_in_pieces(ends: tuple[socket.socket, socket.socket]) -> None:
    text = json.dumps({"return": "x" * 100_000, "id": 1}).encode() + b"\n"

    def write() -> None:
        for start in range(0, len(text), 7000):
            ends[1].sendall(text[start : start + 7000])

    writer = Thread(target=write)
    writer.start()
    assert len(session(ends[0]).execute("query-qmp-schema")) == 100_000
    writer.join()


def test_a_closed_channel_tells_qemus_last_words(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ends[1].close()
    with pytest.raises(MachineError, match=r"QEMU ended during start: .*no such disk"):
        session(ends[0]).negotiate(SOON)
    with pytest.raises(MachineError, match="QEMU ended during cont"):
        session(ends[0]).execute("cont")


def test_nonsense_is_an_error(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[1].sendall(b"hello\n")
    with pytest.raises(MachineError, match="no JSON"):
        session(ends[0]).execute("stop")


def test_another_service_is_not_taken_for_qmp(ends: tuple[socket.socket, socket.socket]) -> None:
    say(ends[1], {"hello": 1})
    with pytest.raises(MachineError, match="did not greet"):
        session(ends[0]).negotiate(SOON)
