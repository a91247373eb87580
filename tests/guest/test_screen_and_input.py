"""What is sent to a guest's screen and how its input devices are listened to, as commands."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from harness.checks.framebuffer import FrameBuffer
from harness.checks.pointer import Event
from harness.errors import CommandFailed
from harness.guest import drawing
from harness.guest.listening import listening
from harness.guest.shell import Completed
from tests.guest.nofiles import NoFiles

MOVE = "00 " * 16 + "03 00 00 00 07 00 00 00\n"
TIMES = "8294400 bytes (8.3 MB, 7.9 MiB) copied, 0.25 s, 33 MB/s\n"


@dataclass
class Scripted(NoFiles):
    """A guest that says yes, lists what it is asked to list, and has heard one event."""

    name: str = "g1"
    broken: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = timedelta(minutes=1),
    ) -> Completed:
        assert within
        self.asked.append(argv)
        self.sent.append(stdin)
        if self.broken in argv:
            return Completed(argv, 1, "", "no")
        said = {"ls": "\n".join(argv[2:]), "od": MOVE if privileged else ""}.get(argv[0], "")
        return Completed(argv, 0, said, TIMES if "dd" in argv else "")


def test_a_frame_travels_packed_and_is_written_to_the_drivers_own_device() -> None:
    shell = Scripted()
    drawing.send(shell, b"pixels" * 1000)
    took = drawing.draw(shell, FrameBuffer(1, "hyperv_fb"))
    assert gzip.decompress(shell.sent[0]) == b"pixels" * 1000
    assert (took.value, shell.asked[-1][4]) == (0.25, "of=/dev/fb1")
    assert took.evidence[0].answer == TIMES


def test_a_screen_that_cannot_be_written_to_is_said() -> None:
    with pytest.raises(CommandFailed, match="dev/fb0"):
        drawing.draw(Scripted(broken="of=/dev/fb0"), FrameBuffer(0, "x"))


def test_every_device_is_listened_to_by_a_unit_that_ends_with_the_block() -> None:
    shell = Scripted()
    with listening(shell, "a1", ("event0", "event3")) as recording:
        heard = recording.everything()
    assert {node: events.value for node, events in heard.items()} == {
        "event0": (Event(3, 0, 7),),
        "event3": (Event(3, 0, 7),),
    }
    assert ("systemctl", "stop", "hvcert-a1-event0", "hvcert-a1-event3") in shell.asked
    assert shell.asked[-1] == ("rm", "-f", "--", "/run/hvcert-a1-event0", "/run/hvcert-a1-event3")


def test_listening_ends_also_when_it_could_not_begin() -> None:
    shell = Scripted(broken="--unit=hvcert-a1-event3")
    with pytest.raises(CommandFailed), listening(shell, "a1", ("event0", "event3")):
        pass
    assert ("systemctl", "stop", "hvcert-a1-event0", "hvcert-a1-event3") in shell.asked
