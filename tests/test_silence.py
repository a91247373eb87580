"""What is kept of a guest that did not come up: the state and the screen that the host shows."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta

import pytest

from harness.errors import (
    DeadlineExceeded,
    ErrorRecordFacts,
    EvidenceError,
    GuestUnreachable,
    HostRefused,
)
from harness.evidence import Evidence
from harness.host.command import Value
from harness.host.session import HostObject
from harness.host.vm import Vm
from harness.silence import watched
from tests.host.answering import AnsweringHost, Reply, refuse, thing

WHITE = b"\xff\xff"
SILENT = DeadlineExceeded("a boot of guest a", timedelta(seconds=780))
NOT_ENDED = HostRefused(
    "hv", "Stop-VM", ErrorRecordFacts("OperationFailed", "NotSpecified", "System.Exception", "")
)


def running(_given: Mapping[str, Value]) -> tuple[HostObject, ...]:
    return (thing(State="Running"),)


def white(given: Mapping[str, Value]) -> tuple[HostObject, ...]:
    pixels = int(str(given["Width"])) * int(str(given["Height"]))
    return (thing(ReturnValue=0, ImageData=base64.b64encode(WHITE * pixels).decode()),)


def kept_of(replies: Mapping[str, Reply], wrong: BaseException) -> list[Evidence]:
    kept: list[Evidence] = []
    with pytest.raises(type(wrong)) as raised, watched(vm(replies), kept):
        raise wrong
    assert raised.value is wrong
    return kept


def vm(replies: Mapping[str, Reply]) -> Vm:
    return Vm(AnsweringHost(replies), "vm", "id", "switch")


@pytest.mark.parametrize("wrong", [SILENT, GuestUnreachable("a", "no SSH"), NOT_ENDED])
def test_state_and_screen_of_a_guest_that_does_not_answer_or_end_are_kept(
    wrong: BaseException,
) -> None:
    kept = kept_of({"Get-VM": running, "thumbnail-image": white}, wrong)
    assert "Running" in kept[0].answer
    assert kept[-1].picture.startswith(b"\x89PNG")
    assert "800x600" in kept[-1].answer


def test_what_the_host_cannot_show_is_left_out(subtests: pytest.Subtests) -> None:
    with subtests.test("no picture of a VM that is off"):
        kept = kept_of({"Get-VM": running, "thumbnail-image": refuse("Off")}, SILENT)
        assert [piece.asked for piece in kept] == ["Get-VM -Name 'vm'"]
    with subtests.test("no VM any more"):
        assert (
            kept_of({"Get-VM": refuse("NotFound"), "thumbnail-image": refuse("Off")}, SILENT) == []
        )


def test_any_other_end_of_the_block_asks_nothing() -> None:
    assert kept_of({}, EvidenceError("boot id", "UUID", "x")) == []
    kept: list[Evidence] = []
    host = AnsweringHost({})
    with watched(Vm(host, "vm", "id", "switch"), kept):
        pass
    assert (kept, host.asked) == ([], [])
