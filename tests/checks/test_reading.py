"""The parsers over recorded evidence: what they read must be what was agreed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.checks.reading import TOPICS
from harness.checks.text import decode

EVIDENCE = Path(__file__).parent.parent / "recorded" / "evidence"
ROWS = [row for row in json.loads((EVIDENCE / "expect.json").read_text()) if row["topic"] in TOPICS]


def name(row: dict[str, str]) -> str:
    return f"{row['topic']}-{row['file']}"


def fits(wanted: object, found: object) -> bool:
    if isinstance(wanted, dict) and "any_of" in wanted:
        return any(fits(one, found) for one in wanted["any_of"])
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(fits(v, found.get(k)) for k, v in wanted.items())
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        return isinstance(found, list) and all(any(fits(w, f) for f in found) for w in wanted)
    if isinstance(wanted, str) and isinstance(found, str):
        return wanted == found or (" " in found and wanted in found)  # a word of a whole line
    return wanted == found


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_recorded_evidence_is_read_as_agreed(row: dict[str, str]) -> None:
    text = decode((EVIDENCE / row["file"]).read_bytes())
    found = TOPICS[row["topic"]](text)
    wanted: dict[str, object] = row["expect"]  # type: ignore[assignment]  # JSON has no types
    assert {
        key: found.get(key) for key, value in wanted.items() if not fits(value, found.get(key))
    } == {}


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_carriage_returns_escapes_and_mail_quoting_change_nothing(row: dict[str, str]) -> None:
    text = decode((EVIDENCE / row["file"]).read_bytes())
    read = TOPICS[row["topic"]]
    dressed = "".join(f"> \x1b[0;32m{line}\x1b[0m\r\n" for line in text.split("\n"))
    plain, quoted = read(text), read(dressed)
    lines = ("problems",)
    assert {k: v for k, v in plain.items() if k not in lines} == {
        k: v for k, v in quoted.items() if k not in lines
    }


def test_answers_are_json() -> None:
    for row in ROWS[:1]:
        json.dumps(TOPICS[row["topic"]](decode((EVIDENCE / row["file"]).read_bytes())))
