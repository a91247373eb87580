"""Texts written after what kernels and tools print in their many versions, languages and wrappings.

``tests/recorded/variants/<topic>.jsonl``: one text a line, and the keys that must be read of it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.reading import TOPICS

VARIANTS = Path(__file__).parent / "recorded" / "variants"


@pytest.mark.parametrize("path", sorted(VARIANTS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_every_variant_is_read_as_written_down(path: Path) -> None:
    wrong = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line:
            continue
        row = json.loads(line)
        found = TOPICS[path.stem](row["text"])
        read = {key: found.get(key) for key in row["expect"]}
        if read != row["expect"]:
            wrong.append((row["text"][:200], read, row["expect"]))
    assert wrong == []


def test_every_topic_has_variants() -> None:
    assert {path.stem for path in VARIANTS.glob("*.jsonl")} == set(TOPICS)
