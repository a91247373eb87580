"""Log lines are found inside the records that carry them; anything else stays as it is."""

from __future__ import annotations

import json

import pytest

from harness.checks.envelope import opened


def journal(**fields: object) -> str:
    return json.dumps({"__REALTIME_TIMESTAMP": "1623442591123456", **fields})


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        (
            journal(_TRANSPORT="kernel", MESSAGE="hv_vmbus: a\nb", SYSLOG_IDENTIFIER="x"),
            (
                "1623442591.123456 host kernel: hv_vmbus: a",
                "1623442591.123456 host kernel: b",
            ),
        ),
        (
            journal(MESSAGE="said", SYSLOG_IDENTIFIER="my tool/7", _TRANSPORT="syslog"),
            ("1623442591.123456 host my-tool-7[0]: said",),
        ),
        (journal(MESSAGE="said"), ("1623442591.123456 host program[0]: said",)),
        (
            journal(MESSAGE="said", SYSLOG_IDENTIFIER=""),
            ("1623442591.123456 host program[0]: said",),
        ),
        (
            journal(MESSAGE="said", SYSLOG_IDENTIFIER="n" * 99),
            (f"1623442591.123456 host {'n' * 60}[0]: said",),
        ),
        ('{"MESSAGE":"said"}', ("0000000000.000000 host program[0]: said",)),
        (
            '{"MESSAGE":"said","__REALTIME_TIMESTAMP":"162344"}',
            ("0000000000.000000 host program[0]: said",),
        ),
        (
            json.dumps({"MESSAGE": [0x61, 0xFF, 0, 255]}),
            ("0000000000.000000 host program[0]: a\ufffd\0\ufffd",),
        ),
        ('{"log":"[    0.0] Linux\\nmore\\n"}', ("[    0.0] Linux", "more")),
        ('{"log":""}', ("",)),
        ("    MESSAGE=hv_vmbus: a", ("hv_vmbus: a",)),
        ("MESSAGE=a MESSAGE=b", ("a MESSAGE=b",)),
    ],
)
def test_the_lines_inside_a_record(line: str, lines: tuple[str, ...]) -> None:
    assert opened(line) == lines


@pytest.mark.parametrize(
    "line",
    [
        "plain",
        '{"MESSAGE":',
        '{"MESSAGE":[256]}',
        '{"MESSAGE":[-1]}',
        '{"MESSAGE":["a"]}',
        '{"MESSAGE":7}',
        '{"other":"x"}',
        "[1]",
        '{1: "x"}',
        "{}",
        "               MESSAGE=a",
        "x MESSAGE=a",
    ],
)
def test_what_is_no_record_stays_as_it_is(line: str) -> None:
    assert opened(line) == (line,)


@pytest.mark.parametrize("stamp", ["", "None", "XX", "16234425911234567"])
def test_a_record_without_a_time_of_sixteen_digits_has_none(stamp: str) -> None:
    line = json.dumps({"MESSAGE": "said", "__REALTIME_TIMESTAMP": stamp})
    assert list(opened(line)) == ["0000000000.000000 host program[0]: said"]
