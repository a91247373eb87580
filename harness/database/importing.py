"""Puts finished runs into the database; a run that is there already is left as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from harness.database.models import FactRow, RunRow, VerdictRow
from harness.report.result import CaseResult
from harness.report.store import Store

OF_HOST = ("host build", "host release")
"""Facts of a row that are the host's; the others are its guest's."""


def import_run(connection: Connection, folder: Path) -> tuple[str, bool]:
    """Import a run's folder; return its name, and whether it was new.

    Raises ResultsError where the folder holds no finished run.
    """
    folder = folder.resolve()
    store = Store(folder)
    facts, rows = store.facts(), store.verdicts()
    name = str(facts.get("run") or folder.name)
    if connection.scalar(select(RunRow.id).where(RunRow.name == name)) is not None:
        return name, False
    made = connection.execute(insert(RunRow).values(_run(name, folder, facts, rows)))
    (key,) = made.inserted_primary_key or (None,)
    for table, found in ((VerdictRow, _verdicts(key, rows)), (FactRow, _facts(key, rows))):
        if values := list(found):
            connection.execute(insert(table), values)
    return name, True


def _run(
    name: str, folder: Path, facts: Mapping[str, Any], rows: tuple[CaseResult, ...]
) -> dict[str, object]:
    inventory = folder / "inventory.yaml"
    digest = hashlib.sha256(inventory.read_bytes()).hexdigest() if inventory.exists() else ""
    texts = ("started", "commit", "controller", "inventory", "hvcert")
    return {
        **{key: str(facts.get(key, "")) for key in texts},
        "name": name,
        "inventory_sha256": digest,
        "banner": next((b for row in rows if (b := row.facts.get("banner", ""))), ""),
        "folder": str(folder),
    }


def _verdicts(run: object, rows: tuple[CaseResult, ...]) -> Iterator[dict[str, object]]:
    for row in rows:
        yield {
            "run_id": run,
            "case_id": row.case,
            **{key: getattr(row, key) for key in ("parameter", "guest", "place", "host")},
            **{key: getattr(row, key) for key in ("feature", "because", "known", "started")},
            "outcome": row.outcome.value,
            "expected": row.as_expected,
            "expected_failure": row.expected_failure,
            "flaky": row.flaky,
            "tries": 1 + len(row.earlier),
            "seconds": row.seconds,
            "evidence": "\n".join(piece.path for piece in row.evidence),
        }


def _facts(run: object, rows: tuple[CaseResult, ...]) -> Iterator[dict[str, object]]:
    """Yield each fact of a host or guest once; the last row that tells it counts."""
    found: dict[tuple[str, str, str], str] = {}
    for row in rows:
        for name, value in row.facts.items():
            found[row.host, "" if name in OF_HOST else row.guest, name] = str(value)
    for (host, guest, name), value in sorted(found.items()):
        yield {"run_id": run, "host": host, "guest": guest, "name": name, "value": value}
