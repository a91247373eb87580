"""Verdicts of runs → the table that a distribution publishes: features, releases, Windows. Pure.

The form is that of Microsoft's tables of Linux distributions on Hyper-V: a mark per feature and
release, and numbered notes. Nothing that was not judged is ever marked as supported.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from harness.host.facts import release_of
from harness.report.result import CaseResult, anchor, in_stories
from harness.verdict import Outcome

MARKS = {"yes": "✓", "partly": "◐", "no": "✗", "incomplete": "…", "n/a": "–", "unknown": "?"}
WORDS = {
    "yes": "every case passed",
    "partly": "some cases passed, others failed",
    "no": "no case passed",
    "incomplete": "what was judged passed, but not every case was",
    "n/a": "not applicable there",
    "unknown": "nothing was judged",
}
PREPARED = "preparations"


@dataclass(frozen=True, slots=True)
class Ran:
    """A run's verdicts, and where its folder is as seen from the map: links begin there."""

    name: str
    folder: str
    rows: tuple[CaseResult, ...]


@dataclass(frozen=True, slots=True, order=True)
class Column:
    """A distribution's release on a Windows release, as the guests and hosts measured it."""

    distribution: str
    windows: str


@dataclass(frozen=True, slots=True)
class Note:
    """What has to be said of a square; ``link`` is where its proof is, "" without one."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Square:
    """A feature in a column: ``state`` is a key of MARKS, ``notes`` are numbers from 1.

    ``cases``: each case that has a verdict with its words; ``links``: where the report tells the
    story of each. ``link``: that report.
    """

    state: str
    cases: Mapping[str, str]
    links: Mapping[str, str]
    notes: tuple[int, ...]
    link: str

    @property
    def mark(self) -> str:
        """Return the state as one character."""
        return MARKS[self.state]

    @property
    def words(self) -> str:
        """Return the state as a sentence."""
        return WORDS[self.state]


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """The table: a square per feature and column, None where nothing was even planned.

    ``banner``: what runs say of themselves that were on no Hyper-V, "" for a lab.
    """

    banner: str
    columns: tuple[Column, ...]
    features: Mapping[str, tuple[Square | None, ...]]
    notes: tuple[Note, ...]
    runs: tuple[str, ...]


_Told = tuple[Ran, CaseResult, str]
"""A verdict with its run, and where the report tells its story."""


def feature_map(runs: Sequence[Ran]) -> FeatureMap:
    """Make the table of one or several runs; of the same case the later run's verdict counts."""
    found: dict[tuple[str, Column], dict[tuple[str, ...], _Told]] = {}
    for run in runs:
        columns = _columns(run.rows)
        for story in in_stories(run.rows):
            link = f"{run.folder}/report.html#{anchor(story)}"
            for row in story:
                place = (row.feature, columns[row.guest, row.place])
                found.setdefault(place, {})[row.key] = (run, row, link)
    columns_there = tuple(sorted({column for _, column in found}))
    notes: dict[Note, int] = {}
    features: dict[str, tuple[Square | None, ...]] = {}
    for feature in sorted({feature for feature, _ in found}):
        squares = (found.get((feature, column)) for column in columns_there)
        features[feature] = tuple(_square(s.values(), notes) if s else None for s in squares)
    banners = dict.fromkeys(
        banner for run in runs for row in run.rows if (banner := row.facts.get("banner", ""))
    )
    names = tuple(run.name for run in runs)
    return FeatureMap("; ".join(banners), columns_there, features, tuple(notes), names)


def _columns(rows: Iterable[CaseResult]) -> dict[tuple[str, str], Column]:
    """Return the column of each guest and place: from any of its rows that measured both."""
    known: defaultdict[tuple[str, str], Column] = defaultdict(lambda: Column("", ""))
    for row in rows:
        seat = (row.guest, row.place)
        if row.facts.get("distribution"):
            build = str(row.facts.get("host build", ""))
            windows = f"Windows Server {release_of(int(build))}" if build.isdecimal() else "?"
            known[seat] = Column(str(row.facts["distribution"]), windows)
        elif seat not in known:
            known[seat] = Column(row.guest, f"{row.place} (not measured)")
    return known


def _square(found: Iterable[_Told], notes: dict[Note, int]) -> Square:
    rows = sorted(found, key=lambda pair: pair[1].key)
    words: dict[str, list[str]] = {}
    links: dict[str, str] = {}
    said: list[int] = []
    for run, row, link in rows:
        words.setdefault(row.case, []).append(row.word)
        links.setdefault(row.case, link)
        said += [notes.setdefault(note, len(notes) + 1) for note in _notes(run, row)]
    cases = {case: ", ".join(dict.fromkeys(found)) for case, found in words.items()}
    state = _state([row.outcome for _, row, _ in rows])
    report = f"{rows[-1][0].folder}/report.html"
    return Square(state, cases, links, tuple(sorted(set(said))), report)


def _state(outcomes: Sequence[Outcome]) -> str:
    passed, failed = Outcome.PASS in outcomes, Outcome.FAIL in outcomes
    unsure = any(outcome in (Outcome.ERROR, Outcome.NOT_RUN) for outcome in outcomes)
    if failed:
        return "partly" if passed else "no"
    if passed:
        return "incomplete" if unsure else "yes"
    return "unknown" if unsure else "n/a"


def _notes(run: Ran, row: CaseResult) -> list[Note]:
    """Return what must be known beside the mark: what failed, a rule, what was prepared."""
    link = f"{run.folder}/{row.evidence[0].path}" if row.evidence else ""
    said = []
    if row.outcome is not Outcome.PASS:
        said.append(Note(f"{row.title}: {row.word}: {row.because}", link))
    if row.flaky:
        said.append(Note(f"{row.title}: passed at try {len(row.earlier) + 1}", link))
    if row.facts.get(PREPARED) and row.outcome is Outcome.PASS:
        said.append(Note(f"with {row.facts[PREPARED]}"))
    if row.facts.get("kernel") and row.outcome in (Outcome.PASS, Outcome.FAIL):
        said.append(Note(f"kernel {row.facts['kernel']}"))
    return said


def to_markdown(table: FeatureMap) -> str:
    """Return the map as Markdown."""
    heads = [f"{column.distribution}<br>{column.windows}" for column in table.columns]
    lines = [
        "# What Linux guests do on Hyper-V",
        "",
        *([f"**{table.banner}**: {NOT_CERTIFIED}", ""] if table.banner else []),
        f"| Feature | {' | '.join(heads)} |",
        f"|---|{'|'.join(':-:' for _ in heads)}|",
    ]
    for feature, squares in table.features.items():
        lines.append(f"| {feature} | {' | '.join(_cell(square) for square in squares)} |")
    lines += ["", *(f"{mark} {WORDS[state]}" + "  " for state, mark in MARKS.items()), ""]
    for number, note in enumerate(table.notes, 1):
        linked = f"[{_plain(note.text)}]({note.link})" if note.link else _plain(note.text)
        lines.append(f"{number}. {linked}")
    return "\n".join([*lines, "", f"Runs: {', '.join(table.runs)}."]) + "\n"


NOT_CERTIFIED = "proves the harness, certifies no distribution on Hyper-V."


def _cell(square: Square | None) -> str:
    if square is None:
        return ""
    notes = "".join(f"<sup>{number}</sup>" for number in square.notes)
    return f"[{square.mark}]({square.link}){notes}"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("[", "\\[").replace("]", "\\]")


def to_json(table: FeatureMap) -> str:
    """Return the map as JSON: banner, columns, features with their squares, notes, runs."""
    return json.dumps(asdict(table), indent=2, ensure_ascii=False) + "\n"
