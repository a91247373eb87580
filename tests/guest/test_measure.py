from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import CommandFailed, EvidenceError
from harness.evidence import Probe
from harness.guest.boot import BOOT_ID, parse_boot_id
from harness.guest.measure import measure

if TYPE_CHECKING:
    from tests.guest.conftest import LocalShell


def test_a_value_comes_with_its_question_and_raw_answer(here: LocalShell) -> None:
    found = measure(here, Probe(("echo", "a b", "7"), str.split))
    assert found.value == ["a", "b", "7"]
    (proof,) = found.evidence
    assert (proof.asked, proof.answer, proof.where) == ("echo 'a b' 7", "a b 7\n", "guest here")


def test_a_command_that_fails_is_an_error(here: LocalShell) -> None:
    with pytest.raises(CommandFailed, match="ended with status 1"):
        measure(here, Probe(("false",), str.strip))


def test_a_command_that_may_fail_is_read_and_its_status_is_on_record(here: LocalShell) -> None:
    found = measure(here, Probe(("ls", "/nowhere/at/all"), str.strip, fails_ok=True))
    assert found.value == ""
    assert "exit status 2" in found.evidence[0].asked


def test_the_boot_id_is_read_from_the_kernel(here: LocalShell) -> None:
    assert len(measure(here, BOOT_ID).value) == 36


def test_what_is_no_boot_id_is_an_error() -> None:
    for text in ("", "no such file", "0-0-0-0-0", "A" * 36):
        with pytest.raises(EvidenceError):
            parse_boot_id(text)
