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
    _pack(_members(run), archive, run)


def add(run: Path, archive: Path) -> None:
    """Add the recordings of a run with other cases of the same fault to those that are kept."""
    with unpacked(archive) as before:
        members = dict(_members(before))
        for name, data in _members(run):
            if name == "run.json":
                facts = json.loads(members[name])
                more = [*facts.get("more", ()), json.loads(data)]
                members[name] = _line(facts | {"more": more})
            elif name == "verdicts.jsonl":
                members[name] += data
            elif name not in members:
                members[name] = data
            elif name != "inventory.yaml":
                raise LabError(f"{archive}: holds {name} of another run already")
    _pack(members.items(), archive, run)


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """Unpack into a folder that is gone afterwards."""
    with TemporaryDirectory(prefix="hvcert-kept-") as scratch:
        folder = Path(scratch) / archive.name.removesuffix(SUFFIX)
        unpack(archive, folder)
        yield folder


def _pack(members: Iterable[tuple[str, bytes]], archive: Path, run: Path) -> None:
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:xz", preset=9) as packed:
            for name, data in members:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                packed.addfile(member, io.BytesIO(data))
    except OSError as broken:
        archive.unlink(missing_ok=True)
        raise LabError(f"{archive}: cannot keep the recordings of {run}: {broken}") from broken


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into a new folder; LabError where the archive is broken."""
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    except (OSError, tarfile.TarError, EOFError) as broken:
        raise LabError(f"{archive}: not an archive of recordings: {broken}") from broken


def _members(run: Path) -> Iterator[tuple[str, bytes]]:
    facts = json.loads((run / "run.json").read_text())
    known = {
        key: facts[key] for key in ("run", "started", "hvcert", "commit", "more") if key in facts
    }
    yield "run.json", _line(known)
    yield "inventory.yaml", (run / "inventory.yaml").read_bytes()
    rows = [json.loads(line) for line in (run / "verdicts.jsonl").read_text().splitlines()]
    yield "verdicts.jsonl", b"".join(_line(row | BULKY) for row in rows)
    for path in sorted((run / "recordings").glob("*.jsonl")):
        yield f"recordings/{path.name}", path.read_bytes()


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
