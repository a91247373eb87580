"""The parsers over recorded evidence: what they read must be what was agreed."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.read_score import wrong_keys
from harness.checks.text import decode
from harness.errors import EvidenceError
from harness.reading import TOPICS

EVIDENCE = Path(__file__).parent / "recorded" / "evidence"
ROWS = [row for row in json.loads((EVIDENCE / "expect.json").read_text()) if row["topic"] in TOPICS]


def name(row: dict[str, Any]) -> str:
    return f"{row['topic']}-{row['file']}"


def answer(topic: str, text: str) -> object:
    try:
        return TOPICS[topic](text)
    except EvidenceError:
        return "error"


@pytest.mark.parametrize("row", [row for row in ROWS if row["certain"]], ids=name)
def test_recorded_evidence_is_read_as_agreed(row: dict[str, Any]) -> None:
    assert wrong_keys(row, EVIDENCE) == {}


@pytest.mark.parametrize("row", [row for row in ROWS if not row["certain"]], ids=name)
def test_what_is_open_to_debate_is_read_without_an_error(row: dict[str, Any]) -> None:
    json.dumps(TOPICS[row["topic"]](decode((EVIDENCE / row["file"]).read_bytes())))


def prefixed(prefix: str) -> Callable[[str], str]:
    return lambda text: "".join(f"{prefix}{line}\n" for line in text.split("\n"))


def wrapped(width: int) -> Callable[[str], str]:
    def wrap(text: str) -> str:
        lines = (
            textwrap.wrap(
                line.rstrip("\r"),
                width,
                break_long_words=False,
                break_on_hyphens=False,
                replace_whitespace=False,
            )
            or [""]
            for line in text.split("\n")
        )
        return "\n".join(part for parts in lines for part in parts)

    return wrap


DRESSED: dict[str, Callable[[str], str]] = {
    "carriage returns": lambda text: text.replace("\r", "").replace("\n", "\r\n"),
    "mail quoting": prefixed("> > "),
    "bars": prefixed("| "),
    "tabs": prefixed("\t"),
    "LISA": prefixed("2025-06-03 17:51:16.383[1492][DEBUG] lisa.env[g].node[0].cmd[6].stdout "),
    "a build server": prefixed("2025-06-03T16:02:28.1234567Z "),
    "a serial logger": prefixed("[2025-06-03 16:02:28] "),
    "a clock": prefixed("16:02:28.123 "),
    "a port's name": prefixed("ttyS0: "),
    "escapes": lambda text: "".join(f"\x1b[0;32m{line}\x1b[0m\n" for line in text.split("\n")),
    "zero bytes": lambda text: text.replace("\n", "\x00\n"),
    "empty lines": lambda text: text.replace("\n", "\n\n"),
    "wrapping at 80": wrapped(80),
    "wrapping at 72": wrapped(72),
}


@pytest.mark.parametrize("dress", DRESSED)
def test_what_carries_the_text_changes_no_answer(dress: str) -> None:
    """Every file under every topic that is asked of it; problems are compared by their kinds."""
    for row in ROWS:
        text = decode((EVIDENCE / row["file"]).read_bytes())
        plain, carried = answer(row["topic"], text), answer(row["topic"], DRESSED[dress](text))
        for found in (plain, carried):
            if isinstance(found, dict) and "problems" in found:
                found["problems"] = [problem["kind"] for problem in found["problems"]]
        assert carried == plain, name(row)
