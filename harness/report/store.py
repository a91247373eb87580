"""The run's folder: evidence files, verdicts as JSON lines, the reports made of them.

results/<run>/run.json                     who, when, which inventory
results/<run>/plan-<worker>.jsonl          what was going to run
results/<run>/verdicts-<worker>.jsonl      appended and synced as verdicts come
results/<run>/verdicts.jsonl               all of them, at the end
results/<run>/times-<worker>.jsonl         where the time of each case went
results/<run>/recordings/<case>.jsonl      every host call and guest command, for replay
results/<run>/evidence/<case>/NN-<what>.txt, or .png where the evidence is a picture
results/<run>/junit.xml, report.html
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import ResultsError
from harness.evidence import Evidence
from harness.report.known import KnownIssue, applied
from harness.report.markdown import render_markdown
from harness.report.result import CaseResult, EvidenceFile, from_json, slug, to_json
from harness.report.step import Spent
from harness.verdict import Outcome


class Store:
    """Writes one run's folder; each worker writes only its own files.

    ``known``: issues that excuse a fail; ``known_skipped``: in JUnit such a fail is skipped.
    """

    def __init__(self, folder: Path, worker: str = "main") -> None:
        self.folder, self.worker = folder, worker
        self.known: Sequence[KnownIssue] = ()
        self.known_skipped = False

    def create(self, facts: Mapping[str, Any], inventory: bytes = b"") -> None:
        """Make the folder, write run.json and the inventory, point ``latest`` beside it here."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "inventory.yaml").write_bytes(inventory)
            (self.folder / "run.json").write_text(json.dumps(dict(facts), indent=2) + "\n")
            latest = self.folder.parent / "latest"
            fresh = self.folder.parent / f".latest-{os.getpid()}"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self.folder.name)
            fresh.replace(latest)
        except OSError as broken:
            raise self._failed(broken) from broken

    def facts(self) -> dict[str, Any]:
        """Read run.json; ResultsError where the folder is no run's."""
        try:
            found: dict[str, Any] = json.loads((self.folder / "run.json").read_text())
        except (OSError, ValueError) as broken:
            said = f"{self.folder}: no run's results there ({broken}); name a folder of a run"
            raise ResultsError(said) from broken
        return found

    def begin_again(self, origin: Path) -> None:
        """Make the folder anew, empty but for the origin's run.json."""
        try:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            shutil.copyfile(origin / "run.json", self.folder / "run.json")
        except OSError as broken:
            raise self._failed(broken) from broken

    def keep(self, folder: str, pieces: Iterable[Evidence]) -> tuple[EvidenceFile, ...]:
        """Write raw texts under ``evidence/<folder>/``, numbered; the same text is kept once.

        A picture is kept as ``.png`` in place of its text, which only describes it.
        """
        home = self.folder / "evidence" / slug(folder)
        kept: dict[Evidence, EvidenceFile] = {}
        try:
            home.mkdir(parents=True, exist_ok=True)
            number = len(list(home.iterdir()))
            for piece in pieces:
                if piece not in kept:
                    number += 1
                    kept[piece] = self._write(home / f"{number:02d}-{slug(piece.asked)}", piece)
        except OSError as broken:
            raise self._failed(broken) from broken
        return tuple(kept.values())

    def append(self, result: CaseResult) -> None:
        """Append one verdict and sync it: what was judged survives a killed harness."""
        self._append("verdicts", to_json(result))

    def time(self, recording: str, spent: Spent) -> None:
        """Write down where the time of a whole case went, set-up and clean-up included."""
        self._append("times", {"recording": recording, **asdict(spent)})

    def times(self) -> dict[str, Spent]:
        """Read where the time of each recording went."""
        rows = list(self._lines("times-*.jsonl"))
        return {r["recording"]: Spent(r["total"], r["guest"], r["host"]) for r in rows}

    def plan(self, rows: Iterable[CaseResult]) -> None:
        """Write down what is going to run, so that what did not is reported as not-run."""
        self._append("plan", *(to_json(row) for row in rows))

    def planned(self) -> tuple[CaseResult, ...]:
        """Read what was going to run."""
        return tuple(self._rows("plan-*.jsonl"))

    def judged(self) -> tuple[CaseResult, ...]:
        """Read every verdict that was written, also those of earlier tries."""
        return tuple(self._rows("verdicts-*.jsonl"))

    def go_on(self, sitting: Mapping[str, Any]) -> None:
        """Add a sitting to run.json: when and by whom the run was resumed."""
        facts = self.facts()
        facts["sittings"] = [*facts.get("sittings", []), dict(sitting)]
        self._replace("run.json", json.dumps(facts, indent=2) + "\n")

    def results(self) -> tuple[CaseResult, ...]:
        """Read all workers' verdicts, then add what was planned and never judged as not-run."""
        judged: dict[tuple[str, ...], CaseResult] = {}
        for row in self.judged():
            before = judged.get(row.key)
            later = before is not None and len(row.earlier) > len(before.earlier)
            if before is None or later or before.outcome in (Outcome.PASS, Outcome.NOT_RUN):
                judged[row.key] = row  # a later error (clean-up) is not hidden by a pass
        for row in self._rows("plan-*.jsonl"):
            judged.setdefault(row.key, row)
        return tuple(sorted(judged.values(), key=lambda r: r.key))

    def finish(self) -> tuple[CaseResult, ...]:
        """Write verdicts.jsonl, junit.xml and report.html; return the rows."""
        from harness.report.junit import render_junit  # of no use to workers

        rows = applied(self.results(), self.known, datetime.now(UTC).date())
        lines = "".join(json.dumps(to_json(row)) + "\n" for row in rows)
        self._replace("verdicts.jsonl", lines)
        self._replace("junit.xml", render_junit(rows, known_skipped=self.known_skipped))
        self.write_report(rows)
        return rows

    def verdicts(self) -> tuple[CaseResult, ...]:
        """Read the finished run's verdicts; ResultsError where the folder keeps none."""
        try:
            lines = (self.folder / "verdicts.jsonl").read_text().splitlines()
        except OSError as broken:
            said = f"{self.folder}: no verdicts.jsonl there; name the folder of a finished run"
            raise ResultsError(said) from broken
        return tuple(from_json(json.loads(line)) for line in lines)

    def write_report(self, rows: tuple[CaseResult, ...]) -> Path:
        """Write report.html from verdicts, times and pictures; return where."""
        from harness.report.page import render_report  # its libraries are of no use to workers

        self._replace("report.html", render_report(self._run(), rows, self.times(), self._read))
        return self.folder / "report.html"

    def write_table(self, rows: tuple[CaseResult, ...], file: Path) -> None:
        """Write verdicts and times as a table in Markdown to a file of the caller's choice."""
        try:
            file.write_text(render_markdown(self._run(), rows, self.times()))
        except OSError as broken:
            said = f"{file}: cannot write the table ({broken.strerror}); name another file"
            raise ResultsError(said) from broken

    def _run(self) -> Mapping[str, Any]:
        return self.facts() if (self.folder / "run.json").exists() else {"run": self.folder.name}

    def _read(self, path: str) -> bytes | None:
        try:
            return (self.folder / path).read_bytes()
        except OSError:
            return None

    def _write(self, stem: Path, piece: Evidence) -> EvidenceFile:
        data = piece.picture or piece.answer.encode("utf-8", "surrogateescape")
        path = stem.with_name(f"{stem.name}.{'png' if piece.picture else 'txt'}")
        path.write_bytes(data)
        where = path.relative_to(self.folder).as_posix()
        return EvidenceFile(where, piece.asked, piece.where, hashlib.sha256(data).hexdigest())

    def _append(self, kind: str, *rows: Mapping[str, Any]) -> None:
        try:
            with (self.folder / f"{kind}-{self.worker}.jsonl").open("a") as file:
                file.writelines(json.dumps(dict(row)) + "\n" for row in rows)
                file.flush()
                os.fsync(file.fileno())
        except OSError as broken:
            raise self._failed(broken) from broken

    def _rows(self, pattern: str) -> Iterator[CaseResult]:
        return (from_json(row) for row in self._lines(pattern))

    def _lines(self, pattern: str) -> Iterator[dict[str, Any]]:
        for path in sorted(self.folder.glob(pattern)):
            for line in path.read_text().splitlines():
                if line.endswith("}"):  # a torn last line was never acknowledged
                    yield json.loads(line)

    def _replace(self, name: str, text: str) -> None:
        fresh = self.folder / f".{name}.new"
        try:
            fresh.write_text(text)
            fresh.replace(self.folder / name)
        except OSError as broken:
            fresh.unlink(missing_ok=True)
            raise self._failed(broken) from broken

    def _failed(self, broken: OSError) -> ResultsError:
        return ResultsError(
            f"{self.folder}: cannot write results ({broken.strerror or broken});"
            " free some space or give --results a folder that can be written,"
            " then run again; verdicts written so far are kept"
        )
