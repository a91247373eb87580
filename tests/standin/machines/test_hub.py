"""Private switches: frames reach every machine on the same one, and no other."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID

import pytest

from harness.standin.hub import QUEUE, Hub

BLUE, RED = UUID(int=1), UUID(int=2)
PATIENCE = 5.0


Plug = Callable[[UUID], socket.socket]


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    yield made
    made.close()


@pytest.fixture
def plug(hub: Hub) -> Iterator[Plug]:
    """Attach a machine to a switch; its end is closed when the test is over."""
    with ExitStack() as ends:

        def attached(network: UUID) -> socket.socket:
            end = ends.enter_context(hub.attach(network))
            end.settimeout(PATIENCE)
            return end

        yield attached


def test_a_frame_reaches_every_other_machine_on_its_switch(plug: Plug) -> None:
    first, second, third = (plug(BLUE) for _ in range(3))
    first.send(b"frame one")
    first.send(b"frame two")
    for other in (second, third):
        assert [other.recv(100), other.recv(100)] == [b"frame one", b"frame two"]


def test_a_frame_reaches_neither_its_sender_nor_another_switch(plug: Plug) -> None:
    first, second, stranger = plug(BLUE), plug(BLUE), plug(RED)
    first.send(b"secret")
    assert second.recv(100) == b"secret"
    for other in (first, stranger):
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.recv(100)


def test_a_machine_that_takes_nothing_loses_frames_and_delays_nobody(plug: Plug) -> None:
    first, asleep, awake = plug(BLUE), plug(BLUE), plug(BLUE)
    for number in range(4 * QUEUE):
        first.send(b"%d" % number)
        assert awake.recv(100) == b"%d" % number
    assert asleep.recv(100) == b"0"


def test_a_machine_that_ended_is_forgotten_and_the_others_go_on(plug: Plug) -> None:
    first, second, third = (plug(BLUE) for _ in range(3))
    second.close()
    for _ in range(3):
        first.send(b"still there")
        assert third.recv(100) == b"still there"


def test_a_machine_that_ends_with_frames_waiting_for_it_ends_no_other_s_network(plug: Plug) -> None:
    first, asleep, awake = plug(BLUE), plug(BLUE), plug(BLUE)
    for number in range(2 * QUEUE):
        first.send(b"%d" % number)
        assert awake.recv(100) == b"%d" % number
    asleep.close()
    for _ in range(3):
        first.send(b"still there")
        assert awake.recv(100) == b"still there"


def test_a_closed_hub_closes_its_ports(hub: Hub, plug: Plug) -> None:
    end = plug(BLUE)
    hub.close()
    assert end.recv(100) == b""
