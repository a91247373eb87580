"""A run in one line, for a chat. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from harness.report.result import CaseResult

NAMED = 3
LONGEST = 299
ORDER = ("fail", "error", "not-run", "flaky", "known", "fail (expected)", "pass", "not-applicable")


def summary(run: Mapping[str, Any], rows: tuple[CaseResult, ...]) -> str:
    """Return at most 299 characters: banner, name, counts, what is wrong by name."""
    counts = Counter(row.word for row in rows)
    words = [*(w for w in ORDER if counts[w]), *(w for w in sorted(counts) if w not in ORDER)]
    counted = ", ".join(f"{counts[word]} {word}" for word in words) or "no verdict"
    banner = next((b for row in rows if (b := row.facts.get("banner", ""))), "")
    head = " ".join(filter(None, (banner, "hvcert", str(run.get("run", "")))))
    wrong = [f"{row.title} {row.guest}@{row.place}" for row in rows if not row.as_expected]
    more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    named = f"; look at {', '.join(wrong[:NAMED])}{more}" if wrong else ""
    line = f"{head}: {counted}{named}"
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
