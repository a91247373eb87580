"""Prints how many rows of an ``expect.json`` the readers answer as agreed.

    python benchmarks/read_score.py tests/recorded/evidence/expect.json

Each row names a file beside it, a topic and the keys that are wanted. ``any_of``: each is right;
``exact``: these lists hold nothing more; ``error_ok``: an error is right, too; ``certain: false``:
open to debate, counted apart. Exit status 1 when a certain row is read wrong.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.checks.text import decode
from harness.errors import EvidenceError
from harness.reading import TOPICS


def fits(wanted: object, found: object) -> bool:
    """Whether an answer is the wanted one; a wanted word fits in a whole line."""
    if isinstance(wanted, dict) and "any_of" in wanted:
        return any(fits(one, found) for one in wanted["any_of"])
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(fits(v, found.get(k)) for k, v in wanted.items())
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        return isinstance(found, list) and all(any(fits(w, f) for f in found) for w in wanted)
    if isinstance(wanted, str) and isinstance(found, str):
        return wanted == found or (" " in found and wanted in found)
    return wanted == found and isinstance(wanted, bool) == isinstance(found, bool)


def wrong_keys(row: Mapping[str, Any], folder: Path) -> dict[str, object]:
    """Return the keys of a row that are read wrong, with what was read instead."""
    text = decode((folder / row["file"]).read_bytes())
    if row["topic"] not in TOPICS:
        return {"error": "no such topic"}
    try:
        found = TOPICS[row["topic"]](text)
    except EvidenceError as error:
        return {} if row.get("error_ok") else {"error": str(error)}
    wrong = {k: found.get(k) for k, v in row["expect"].items() if not fits(v, found.get(k))}
    for key in row.get("exact", ()):
        read = found[key]
        if not isinstance(read, list) or len(read) != len(row["expect"][key]):
            wrong[key] = read
    return wrong


def main() -> int:
    """Print each wrong row and both scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("expect", type=Path)
    path: Path = parser.parse_args().expect
    rows = json.loads(path.read_text(encoding="utf-8"))
    right = {True: 0, False: 0}
    for row in rows:
        wrong = wrong_keys(row, path.parent)
        right[row["certain"]] += not wrong
        if wrong:
            sure = "" if row["certain"] else " (open to debate)"
            print(f"{row['topic']} {row['file']}{sure}: {row['why']}\n    wanted {row['expect']}")
            print(f"    read   {wrong}")
    certain = sum(row["certain"] for row in rows)
    print(f"certain: {right[True]} of {certain}; open: {right[False]} of {len(rows) - certain}")
    return 0 if right[True] == certain else 1


if __name__ == "__main__":
    raise SystemExit(main())
