"""Keeps what a run against a broken host was judged on, small enough for a repository.

An archive holds recordings, verdicts and the inventory: what a replay needs, and nothing that
tells where the run was made.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.errors import LabError

SUFFIX = ".tar.xz"
BULKY: dict[str, list[object]] = {"evidence": [], "steps": [], "story": [], "series": []}
"""What a replay makes anew."""


def keep(run: Path, archive: Path) -> None:
    """Pack the recordings of a finished run; the same run gives the same bytes."""
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:xz", preset=9) as packed:
            for name, data in _members(run):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                packed.addfile(member, io.BytesIO(data))
    except OSError as broken:
        archive.unlink(missing_ok=True)
        raise LabError(f"{archive}: cannot keep the recordings of {run}: {broken}") from broken


def archives(recordings: Path) -> dict[str, tuple[Path, ...]]:
    """Return each fault's archives, that of the whole row first: ``NAME``, ``NAME.2`` and so on."""
    found: dict[str, list[Path]] = {}
    for path in sorted(recordings.glob(f"*{SUFFIX}")):
        found.setdefault(path.name.split(".", maxsplit=1)[0], []).append(path)
    return {name: tuple(sorted(paths, key=_order)) for name, paths in found.items()}


def _order(archive: Path) -> tuple[int, str]:
    return len(archive.name), archive.name


def next_archive(name: str, recordings: Path) -> Path:
    """Return where to keep a run that adds to what is kept of a fault."""
    number = len(archives(recordings).get(name, ())) + 1
    return recordings / f"{name}{'' if number == 1 else f'.{number}'}{SUFFIX}"


@contextmanager
def unpacked(paths: Iterable[Path]) -> Iterator[tuple[Path, ...]]:
    """Unpack archives into folders that are gone afterwards."""
    with TemporaryDirectory(prefix="hvcert-kept-") as scratch:
        folders = {path: Path(scratch) / path.name.removesuffix(SUFFIX) for path in paths}
        for path, folder in folders.items():
            unpack(path, folder)
        yield tuple(folders.values())


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into a new folder; LabError where the archive is broken."""
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    except (OSError, tarfile.TarError, EOFError) as broken:
        raise LabError(f"{archive}: not an archive of recordings: {broken}") from broken


def _members(run: Path) -> Iterator[tuple[str, bytes]]:
    facts = json.loads((run / "run.json").read_text())
    known = {key: facts[key] for key in ("run", "started", "hvcert", "commit") if key in facts}
    yield "run.json", _line(known)
    yield "inventory.yaml", (run / "inventory.yaml").read_bytes()
    rows = [json.loads(line) for line in (run / "verdicts.jsonl").read_text().splitlines()]
    yield "verdicts.jsonl", b"".join(_line(row | BULKY) for row in rows)
    for path in sorted((run / "recordings").glob("*.jsonl")):
        yield f"recordings/{path.name}", path.read_bytes()


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
