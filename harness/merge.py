"""Makes one run of the shards of several controllers: verdicts, evidence, recordings, report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import shard
from harness.errors import ResultsError
from harness.report.result import CaseResult
from harness.report.store import Store

FOLDERS = ("evidence", "cores")
ALIKE = ("select", "markers", "hvcert", "commit")
"""What must have been asked alike of all shards."""


def merge(folders: Sequence[Path], out: Path, *, partial: bool = False) -> tuple[CaseResult, ...]:
    """Merge finished shards into a new folder; return its verdicts.

    ResultsError where they are not the shards of one run: of another plan or inventory, one twice,
    or (unless ``partial``) one missing.
    """
    shards = {folder: shard.read(folder) for folder in folders}
    _same_plan(shards)
    _same_question(folders)
    _each_once(shards, partial=partial)
    if out.exists():
        raise ResultsError(f"{out}: there already; name a folder that is not")
    try:
        out.mkdir(parents=True)
        for folder, one in shards.items():
            _take(folder, out, f"shard{one.number}")
        _write_facts(folders, out, shards)
    except OSError as broken:
        shutil.rmtree(out, ignore_errors=True)
        said = f"{out}: cannot merge ({broken.strerror}); the shards are as they were"
        raise ResultsError(said) from broken
    return Store(out).finish()


def _same_plan(shards: Mapping[Path, shard.Shard]) -> None:
    first, *others = shards.items()
    for folder, one in others:
        if (one.of, one.plan) != (first[1].of, first[1].plan):
            said = (
                f"{folder} and {first[0]} are shards of different plans: same inventory, selection,"
                " --shard K/N and durations.json on all controllers"
            )
            raise ResultsError(said)


def _same_question(folders: Sequence[Path]) -> None:
    first, *others = folders
    facts = Store(first).facts()
    for folder in others:
        if _inventory(folder) != _inventory(first):
            raise ResultsError(f"the inventory of {folder} is another than that of {first}")
        theirs = Store(folder).facts()
        for key in ALIKE:
            if theirs.get(key) != facts.get(key):
                said = f"{folder} ran with {key} {theirs.get(key)!r}, {first} with"
                raise ResultsError(f"{said} {facts.get(key)!r}")


def _each_once(shards: Mapping[Path, shard.Shard], *, partial: bool) -> None:
    numbers = [one.number for one in shards.values()]
    twice = {n for n in numbers if numbers.count(n) > 1}
    of = next(iter(shards.values())).of
    missing = sorted(set(range(1, of + 1)) - set(numbers))
    if twice:
        raise ResultsError(f"shard {min(twice)}/{of} is there twice")
    if missing and not partial:
        names = ", ".join(f"{number}/{of}" for number in missing)
        raise ResultsError(f"shard {names} is missing; --partial merges what is there")


def _take(folder: Path, out: Path, name: str) -> None:
    for kind in ("verdicts", "times", "plan"):
        lines = "".join(p.read_text() for p in sorted(folder.glob(f"{kind}-*.jsonl")))
        (out / f"{kind}-{name}.jsonl").write_text(lines)
    for part in FOLDERS:
        if (folder / part).is_dir():
            shutil.copytree(folder / part, out / part, dirs_exist_ok=True)
    (out / "recordings").mkdir(exist_ok=True)
    for recording in sorted((folder / "recordings").glob("*.jsonl")):
        _copy_recording(recording, out / "recordings" / recording.name, name)


def _copy_recording(recording: Path, to: Path, name: str) -> None:
    """Copy a recording; its worker gets the shard's name, for two shards have a gw0 each."""
    lines = recording.read_text().splitlines(keepends=True)
    head = json.loads(lines[0])
    head["who"] = f"{name}-{head['who']}"
    to.write_text("".join((json.dumps(head) + "\n", *lines[1:])))


def _write_facts(folders: Sequence[Path], out: Path, shards: Mapping[Path, shard.Shard]) -> None:
    facts: list[dict[str, Any]] = [Store(folder).facts() for folder in folders]
    merged = facts[0] | {
        "run": out.name,
        "started": min(str(one["started"]) for one in facts),
        "shards": [f"{one.number}/{one.of} {folder.name}" for folder, one in shards.items()],
    }
    (out / "run.json").write_text(json.dumps(merged, indent=2) + "\n")
    (out / "inventory.yaml").write_bytes(_inventory(folders[0]))


def _inventory(folder: Path) -> bytes:
    try:
        return (folder / "inventory.yaml").read_bytes()
    except OSError as gone:
        raise ResultsError(f"{folder}: no inventory.yaml there ({gone.strerror})") from gone
