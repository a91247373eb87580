"""Records of the writer, as its file and its acknowledgements hold them."""

from __future__ import annotations

import pytest

from harness.checks.records import Acknowledged, Records, Written, checksum
from harness.checks.records import parse_acknowledged as acknowledged
from harness.checks.records import parse_records as records
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured


def line(number: int) -> str:
    return f"{number} {number}.50 {checksum(number, f'{number}.50')}"


WHOLE = f"{line(1)}\n{line(2)}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", Records(0)),
        (WHOLE, Records(2)),
        (f"{WHOLE}3 3.5", Records(2, torn=3)),
        (f"{WHOLE}3 3.5\n", Records(2, torn=3)),
        (f"{WHOLE}3 3.50 1\n", Records(2, torn=3)),
        (f"{WHOLE}x\n{line(4)}\n", Records(2, broken="record 3 reads 'x'")),
        (f"{WHOLE}x\n4 4.", Records(2, broken="record 3 reads 'x'")),
        (f"{WHOLE}{'y' * 50}\nz\n", Records(2, broken=f"record 3 reads '{'y' * 40}'")),
        (f"{line(2)}\n{line(2)}\n", Records(0, broken=f"record 1 reads '{line(2)}'")),
    ],
)
def test_only_the_last_record_may_be_torn(text: str, found: Records) -> None:
    assert records(text) == found


def test_acknowledgements_count_from_one_without_a_gap() -> None:
    assert acknowledged("1 10.50\n2 11.00\n") == Acknowledged((10.5, 11.0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "writer: no acknowledged record in 0 characters of output"),
        ("tail: no file\n", "writer: no acknowledgement of record 1 in 14 characters of output"),
        ("2 10.50\n", "writer: no acknowledgement of record 1 in 8 characters of output"),
        (
            "1 10.50\n3 11.00\n",
            "writer: no acknowledgement of record 2 in 16 characters of output",
        ),
    ],
)
def test_other_text_and_a_gap_are_errors(text: str, said: str) -> None:
    with pytest.raises(EvidenceError) as told:
        acknowledged(text)
    assert str(told.value) == said


@pytest.mark.parametrize("proof", [(), (Evidence("cat", "1 1.00\n", "guest g1"),)])
def test_a_writer_that_did_not_go_on_is_an_error(proof: tuple[Evidence, ...]) -> None:
    once = Measured(Acknowledged((1.0,)), proof)
    with pytest.raises(EvidenceError) as told:
        Written(once, once, once).check_both_sides("/")
    length = len(proof[0].answer) if proof else 0
    assert str(told.value) == (
        "writer on /: no record after number 1: it did not go on after the call"
        f" in {length} characters of output"
    )
