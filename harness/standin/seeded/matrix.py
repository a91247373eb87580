"""Compares the verdicts of a run against a broken host with what its fault must do. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.standin.seeded.fault import Cell

AS_WITHOUT = ("pass", "not-applicable")
"""How a verdict ends that no cell speaks of: as on a host that is not broken."""


@dataclass(frozen=True, slots=True)
class Row:
    """A verdict as ``verdicts.jsonl`` has it."""

    case: str
    parameter: str
    outcome: str
    because: str

    @property
    def title(self) -> str:
        """Return the case with its parameter."""
        return f"{self.case}[{self.parameter}]" if self.parameter else self.case


@dataclass(frozen=True, slots=True)
class Square:
    """One square of the matrix: what was seen, and what is wrong with it ("": nothing)."""

    title: str
    case: str
    outcome: str
    expected: bool
    problem: str = ""


def compare(
    cells: Iterable[Cell], rows: Iterable[Row], windows: str, *, wire: bool = False
) -> tuple[Square, ...]:
    """Return a square per verdict, and one per cell that no verdict stands for.

    ``wire``: the fault is between host and harness, and touches whoever asks: a case that no cell
    speaks of may survive it or end as an error that names the host, never as a fail.
    ``windows`` is the release that the host plays: cells for others are left out.
    """
    mine = [cell for cell in cells if not cell.windows or windows in cell.windows]
    seen = tuple(rows)
    squares = []
    for row in seen:
        of_row = [cell for cell in mine if _speaks_of(cell, row)]
        squares.append(_touched(row) if wire and not of_row else _square(row, of_row))
    squares += [
        Square(f"{cell.case}[{cell.parameters}]", cell.case, "none", expected=True, problem=NONE)
        for cell in mine
        if not any(_speaks_of(cell, row) for row in seen)
    ]
    return tuple(squares)


NONE = "no verdict of this kind was reached"


def _speaks_of(cell: Cell, row: Row) -> bool:
    return cell.case == row.case and re.fullmatch(cell.parameters, row.parameter) is not None


HOST_SAID = r"^Host\w+: host "
"""Begins an error of the host, by ``harness.errors``."""


def _touched(row: Row) -> Square:
    """Return the square of a case that a broken wire touched by the way."""
    if row.outcome == "error" and re.search(HOST_SAID, row.because):
        return Square(row.title, row.case, row.outcome, expected=False)
    return _square(row, [])


def _square(row: Row, cells: list[Cell]) -> Square:
    if not cells:
        wrong = "" if row.outcome in AS_WITHOUT else f"{row.outcome} without a cell: {row.because}"
        return Square(row.title, row.case, row.outcome, expected=False, problem=wrong)
    problems = [_problem(cell, row) for cell in cells]
    wrong = "" if "" in problems else problems[0]
    return Square(row.title, row.case, row.outcome, expected=True, problem=wrong)


def _problem(cell: Cell, row: Row) -> str:
    if row.outcome not in cell.outcomes:
        return f"{row.outcome}, not {' or '.join(cell.outcomes)}: {row.because}"
    if not re.search(cell.because, row.because):
        return f"{row.outcome} for another reason than {cell.because!r}: {row.because}"
    return ""


MARKS = {"pass": ".", "fail": "F", "error": "E", "not-applicable": "-", "not-run": "?", "none": "?"}


def render(table: Mapping[str, tuple[Square, ...]]) -> str:
    """Return the matrix as text: faults down, cases across; ``!`` marks a red square."""
    cases = sorted({square.case for squares in table.values() for square in squares})
    wide = max((len(name) for name in table), default=5)
    lines = [" ".join(("fault".ljust(wide), *cases))]
    for name, squares in table.items():
        marks = (_marks([s for s in squares if s.case == case]).ljust(len(case)) for case in cases)
        lines.append(" ".join((name.ljust(wide), *marks)).rstrip())
    red = [
        f"RED {name}: {square.title}: {square.problem}"
        for name, squares in table.items()
        for square in squares
        if square.problem
    ]
    return "\n".join((*lines, *red)) + "\n"


HEAD = """# Detection matrix

The last run of each seeded fault on real guests of the stand-in host (`make selftest`), with the
cases that must notice it and sentinel cases of other features. **F** fail, **E** error, **.**
pass, **-** not applicable, **?** not run to its end; **!** another verdict than was said
beforehand; an empty square was not run. A fault that nothing notices would be red. `hvcert
selftest --quick` judges the recordings of these runs again. A row that was completed later (`hvcert
selftest --complete`) names the commit of each of its runs.

"""


def document(known: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the matrix as Markdown from what ``matrix.json`` holds: commit, at, squares."""
    table = {name: tuple(Square(**s) for s in row["squares"]) for name, row in known.items()}
    cases = sorted({square.case for squares in table.values() for square in squares})
    lines = [
        f"| Fault | {' | '.join(cases)} | Commit | Run |",
        f"|---|{'|'.join(':-:' for _ in cases)}|---|---|",
    ]
    for name, squares in sorted(table.items()):
        marks = (_marks([s for s in squares if s.case == case]) for case in cases)
        row = known[name]
        lines.append(f"| {name} | {' | '.join(marks)} | {row['commit']} | {row['at'][:10]} |")
    return HEAD + "\n".join(lines) + "\n"


def stamps(text: str) -> dict[str, tuple[str, str]]:
    """Return of each fault that a document of ``document`` has the commits and the day."""
    rows = (line.strip("| \n").split(" | ") for line in text.splitlines() if line.startswith("| "))
    return {row[0]: (row[-2], row[-1]) for row in rows if row[0] != "Fault"}


def _marks(squares: list[Square]) -> str:
    """Join the marks of a case's verdicts: each once, a red one always."""
    marks = "".join(dict.fromkeys(MARKS.get(s.outcome, "?") for s in squares))
    return marks + ("!" if any(s.problem for s in squares) else "")
