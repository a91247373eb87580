"""The parsers over recorded evidence: what they read must be what was agreed."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_carriage_returns_escapes_and_mail_quoting_change_nothing(row: dict[str, Any]) -> None:
    text = decode((EVIDENCE / row["file"]).read_bytes())
    dressed = "".join(f"> \x1b[0;32m{line}\x1b[0m\r\n" for line in text.split("\n"))
    plain, quoted = answer(row["topic"], text), answer(row["topic"], dressed)
    if isinstance(plain, dict) and isinstance(quoted, dict):
        for found in (plain, quoted):
            found.pop("problems", None)  # they quote the line
    assert plain == quoted
