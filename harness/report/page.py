"""Stored verdicts → report.html: one file that needs nothing else. Pure; the only user of Jinja2.

Evidence files and recordings are links beside the page; small pictures are inside it.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.report import curves
from harness.report.announced import ANNOUNCED, Announced
from harness.report.result import CaseResult, EvidenceFile, anchor, in_stories
from harness.report.step import Spent, Step, together
from harness.verdict import Outcome

VM = re.compile(r"hvcert-\d{8}-\d{6}-[0-9a-f]{6}-([\w.-]+)-\d+-(\d+)(?![\w-])")
TOLD = 1000
"""Above this many stories only those that need a look are told: nobody scrolls through more."""

LISTED = 200
"""Rows of the table of times, longest first; its last row counts all."""

INSIDE = 400_000
"""Bytes of a picture that still goes into the page; a larger one is a link."""

GLYPHS = {"pass": "✓", "fail": "✗", "not-applicable": "–", "error": "!", "not-run": "○"}
Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Story:
    """One test function on one guest and host: its verdicts, and what led to them."""

    anchor: str
    rows: tuple[CaseResult, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    pictures: tuple[curves.Picture, ...]
    images: tuple[tuple[EvidenceFile, str], ...]
    announced: tuple[Announced, ...]
    spent: Spent | None

    @property
    def first(self) -> CaseResult:
        """Return the row that stands for what all of them have in common."""
        return self.rows[0]

    @property
    def title(self) -> str:
        """Return the row's title, or of several rows their cases: ``FB-01, FB-02``."""
        if len(self.rows) == 1:
            return self.first.title
        return ", ".join(dict.fromkeys(row.case for row in self.rows))

    @property
    def evidence(self) -> tuple[EvidenceFile, ...]:
        """Return every evidence file of the function, each once."""
        return tuple(dict.fromkeys(piece for row in self.rows for piece in row.evidence))

    @property
    def folder(self) -> str:
        """Return the folder of the evidence, "" where there is none."""
        return self.first.evidence[0].path.rpartition("/")[0] if self.first.evidence else ""

    @property
    def as_expected(self) -> bool:
        """Return whether no verdict of it needs a look."""
        return all(row.as_expected and not row.flaky for row in self.rows)


def render_report(
    run: Mapping[str, Any],
    rows: Iterable[CaseResult],
    times: Mapping[str, Spent],
    read: Read = lambda _path: None,
) -> str:
    """Return the page. ``run``: run.json; ``read`` gives a picture's bytes by its path."""
    groups = in_stories(rows)
    ordered = [row for group in groups for row in group]
    stories = [_story(group, times, read) for group in groups]
    timed = sorted((s for s in stories if s.spent), key=lambda s: -s.spent.total if s.spent else 0)
    environment = Environment(
        loader=PackageLoader("harness.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"duration": duration, "short": short, "tick": curves.label}
    environment.globals |= {"GLYPHS": GLYPHS, "axis": curves}
    return environment.get_template("page.html.j2").render(
        run={"run": "", "started": "", "inventory": "", "controller": "", "hvcert": "", **run},
        banner=next((r.facts["banner"] for r in ordered if r.facts.get("banner")), ""),
        faults=_faults(run, ordered),
        counts=[(o.value, n) for o in Outcome if (n := _count(ordered)[o])],
        surprises=[(s, row) for s in stories for row in s.rows if not row.as_expected or row.flaky],
        stories=stories,
        told=[s for s in stories if len(stories) <= TOLD or not s.as_expected],
        total=len(ordered),
        seats=[_seat(tuple(g)) for _, g in groupby(ordered, key=lambda r: (r.guest, r.host))],
        timed=timed[:LISTED],
        all_timed=len(timed),
        all_time=together(tuple(s.spent for s in timed if s.spent)),
    )


def duration(seconds: float) -> str:
    """Return ``0.4 s``, ``48 s``, ``12 min 05 s`` or ``2 h 03 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def short(text: str) -> str:
    """Return a command with the run's long VM names made short: ``⟨nmi-01 #1⟩``."""
    return VM.sub(r"⟨\1 #\2⟩", text) if "hvcert-" in text else text


def _story(rows: tuple[CaseResult, ...], times: Mapping[str, Spent], read: Read) -> Story:
    first = rows[0]
    evidence = dict.fromkeys(piece for row in rows for piece in row.evidence)
    images = [piece for piece in evidence if piece.path.endswith(".png")]
    series = dict.fromkeys(curve for row in rows for curve in row.series)
    cases = dict.fromkeys(row.case for row in rows)
    return Story(
        anchor=anchor(rows),
        rows=rows,
        steps=max((row.steps for row in rows), key=len),
        notes=max((row.story for row in rows), key=len),
        pictures=curves.pictures(series),
        images=tuple((piece, _inside(piece, read)) for piece in images),
        announced=tuple(ANNOUNCED[case] for case in cases if case in ANNOUNCED),
        spent=times.get(first.recording),
    )


def _inside(piece: EvidenceFile, read: Read) -> str:
    """Return a picture as a data URI, "" where it is not there or too large for the page."""
    data = read(piece.path)
    if data is None or len(data) > INSIDE:
        return ""
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _seat(rows: tuple[CaseResult, ...]) -> tuple[CaseResult, dict[str, str]]:
    """Return a row of one guest on one host with everything that was measured of the two."""
    facts: dict[str, str] = {}
    for row in rows:
        facts |= {name: value for name, value in row.facts.items() if value}
    return rows[0], facts


def _faults(run: Mapping[str, Any], rows: Iterable[CaseResult]) -> str:
    said = {row.facts.get("host broken on purpose", "") for row in rows}
    seeded = run.get("faults") or ()
    return ", ".join(sorted({*seeded, *said} - {""}))


def _count(rows: Iterable[CaseResult]) -> Counter[Outcome]:
    return Counter(row.outcome for row in rows)
