"""Asks the database: the verdicts of a run, the history of a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from harness.database.comparing import Difference, Key, Seen, candidates, compare, in_order, slower
from harness.database.models import RunRow, VerdictRow
from harness.errors import ResultsError

LOOK_BACK = 20
"""Earlier runs of the same inventory that tell how long a case usually takes."""


@dataclass(frozen=True, slots=True)
class Once:
    """How a case ended in one run."""

    run: str
    commit: str
    guest: str
    place: str
    host: str
    parameter: str
    word: str
    seconds: float
    because: str
    folder: str
    evidence: tuple[str, ...]


def compare_runs(connection: Connection, before: str, after: str) -> list[Difference]:
    """Compare two runs by name; ResultsError where one of them is not there."""
    old, new = (_seen(connection, name) for name in (before, after))
    slow = candidates(old, new)
    times = _times(connection, after, {seen.key for seen in slow}) if slow else {}
    return in_order([*compare(old, new), *slower(old, slow, times)])


def history(
    connection: Connection, case: str, *, guest: str = "", place: str = "", last: int = 20
) -> list[Once]:
    """Return how a case ended in its ``last`` runs, the newest first; everywhere or in a place."""
    runs = select(VerdictRow.run_id).where(VerdictRow.case_id == case)
    runs = runs.where(VerdictRow.guest == guest) if guest else runs
    newest = (
        select(RunRow.id).where(RunRow.id.in_(runs)).order_by(RunRow.started.desc()).limit(last)
    )
    v, r = VerdictRow, RunRow
    asked = (
        select(
            *(r.name, r.commit, v.guest, v.place, v.host, v.parameter, v.outcome, v.expected),
            *(v.known, v.flaky, v.seconds, v.because, r.folder, v.evidence),
        )
        .join(RunRow, RunRow.id == VerdictRow.run_id)
        .where(VerdictRow.case_id == case, RunRow.id.in_(newest))
        .order_by(RunRow.started.desc(), VerdictRow.guest, VerdictRow.place, VerdictRow.parameter)
    )
    asked = asked.where(VerdictRow.guest == guest) if guest else asked
    asked = asked.where(VerdictRow.place == place) if place else asked
    return [_once(row._mapping) for row in connection.execute(asked)]  # noqa: SLF001  # its name in SQLAlchemy's documentation


def _once(row: Mapping[Any, Any]) -> Once:
    word = row["outcome"]
    if word == "fail" and row["known"]:
        word = "known"
    elif word == "fail" and row["expected"]:
        word = "fail (expected)"
    same = ("commit", "guest", "place", "host", "parameter", "seconds", "because", "folder")
    files = tuple(filter(None, row["evidence"].split("\n")))
    given = {name: row[name] for name in same}
    return Once(run=row["name"], word="flaky" if row["flaky"] else word, evidence=files, **given)


def _seen(connection: Connection, name: str) -> list[Seen]:
    v = VerdictRow
    run = connection.scalar(select(RunRow.id).where(RunRow.name == name))
    if run is None:
        said = f"no run {name} in the database; hvcert import results/{name} puts it there"
        raise ResultsError(said)
    asked = select(
        *(v.case_id, v.parameter, v.guest, v.place, v.outcome, v.because, v.seconds),
        *(v.expected, v.known, v.flaky),
    ).where(v.run_id == run)
    rows = connection.execute(asked)
    return [Seen((case, part, guest, place), *rest) for case, part, guest, place, *rest in rows]


def _times(connection: Connection, after: str, keys: Iterable[Key]) -> dict[Key, list[float]]:
    """Return the seconds of earlier passes, of the runs of the same inventory before ``after``."""
    wanted = set(keys)
    mine = select(RunRow.started, RunRow.inventory).where(RunRow.name == after)
    started, inventory = connection.execute(mine).one()
    earlier = (
        select(RunRow.id)
        .where(RunRow.started < started, RunRow.inventory == inventory)
        .order_by(RunRow.started.desc())
        .limit(LOOK_BACK)
    )
    v = VerdictRow
    asked = select(v.case_id, v.parameter, v.guest, v.place, v.seconds).where(
        v.run_id.in_(list(connection.scalars(earlier))),
        v.case_id.in_({key[0] for key in wanted}),
        v.outcome == "pass",
    )
    times: defaultdict[Key, list[float]] = defaultdict(list)
    for case, parameter, guest, place, seconds in connection.execute(asked):
        if (case, parameter, guest, place) in wanted:
            times[case, parameter, guest, place].append(seconds)
    return times
