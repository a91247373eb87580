"""Stored verdicts → a table in Markdown, for documents that keep what a run has shown. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from harness.report.result import CaseResult
from harness.report.step import Spent, together

FACTS = ("distribution", "kernel", "host build", "platform")
SAID = 240
"""Characters of a verdict's sentence in the table; the report has all of it."""


def render_markdown(
    run: Mapping[str, Any], rows: tuple[CaseResult, ...], times: Mapping[str, Spent]
) -> str:
    """Return a document: what ran on what, a line per verdict, and where each function's time went.

    ``run``: the facts of run.json; ``times``: by recording, as the store reads them.
    """
    banner = next((row.facts["banner"] for row in rows if row.facts.get("banner")), "")
    counts = Counter(row.word for row in rows)
    spent = [times[path] for path in dict.fromkeys(row.recording for row in rows) if path in times]
    lines = [
        f"# Run {run['run']}",
        "",
        *_said(banner),
        f"Began {run.get('started', 'at an unknown time')}, hvcert {run.get('hvcert', '?')}"
        f" (commit {run.get('commit') or 'unknown'}).",
        f"{len(rows)} verdicts: {', '.join(f'{n} {word}' for word, n in sorted(counts.items()))}.",
        *_measured(rows),
        "",
        "| Case | Guest | Verdict | Because |",
        "|---|---|---|---|",
        *(_row(row) for row in rows),
        "",
        "## Where the time went",
        "",
        "| Case | In all | Waiting for the guest | Host calls | Own work | Own share |",
        "|---|--:|--:|--:|--:|--:|",
        *_times(rows, times),
        f"| **all** | {_spent(together(tuple(spent)))} |",
    ]
    return "\n".join(lines) + "\n"


def _said(banner: str) -> list[str]:
    if not banner:
        return []
    return [f"**{banner}**: proves the harness, certifies no distribution on Hyper-V.", ""]


def _measured(rows: Iterable[CaseResult]) -> list[str]:
    """Say per guest and host what the facts of its rows are."""
    found = {}
    for row in rows:
        facts = ", ".join(f"{name} {row.facts[name]}" for name in FACTS if row.facts.get(name))
        if facts:
            found[f"{row.guest}@{row.host}"] = facts
    return ["", *(f"- {where}: {facts}" for where, facts in sorted(found.items()))]


def _row(row: CaseResult) -> str:
    said = row.because if len(row.because) <= SAID else f"{row.because[:SAID].rstrip()} …"
    return f"| {_cell(row.title)} | {row.guest} | {row.word} | {_cell(said)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _times(rows: Iterable[CaseResult], times: Mapping[str, Spent]) -> list[str]:
    together_in: dict[str, list[str]] = {}
    for row in rows:
        together_in.setdefault(row.recording, []).append(row.case)
    known = [(path, cases) for path, cases in together_in.items() if path in times]
    return [
        f"| {', '.join(dict.fromkeys(cases))} | {_spent(times[path])} |"
        for path, cases in sorted(known, key=lambda pair: -times[pair[0]].total)
    ]


def _spent(part: Spent) -> str:
    seconds = (part.total, part.guest, part.host, part.own)
    return " | ".join((*(f"{value:.1f} s" for value in seconds), f"{100 * part.own_share:.1f} %"))
