"""Measured curves: what a verdict was reached over, kept as data so that a report can draw it.

To hand one in: build ``Series("assigned", "MiB", ((0.0, 768.0), (1.1, 896.0)))`` and give it to the
verdict, ``pass_if(ok, because, proof, series=(...))`` or ``replace(verdict, series=(...))``;
``all_of`` joins them. The ledger writes it with the verdict: each row of ``verdicts.jsonl`` has
``"series": [{"name": …, "unit": …, "points": [[x, y], …], "over": "s"}, …]``, and CaseResult the
same as Series again. Series of one verdict with the same ``unit`` and ``over`` belong into one
picture. A curve repeats what the evidence says; nothing is judged by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """A named curve: ``points`` are (x, y) in order of x, y in ``unit``, x in ``over``.

    ``over`` is ``s`` (seconds since the case's first sample) unless the curve runs over something
    else, such as ``clients``. Sizes are drawn in MiB.
    """

    name: str
    unit: str
    points: tuple[Point, ...]
    over: str = "s"


def series_from_json(row: Mapping[str, Any]) -> Series:
    """Read what ``dataclasses.asdict`` made of a Series, after its way through JSON."""
    points = tuple((float(x), float(y)) for x, y in row["points"])
    return Series(str(row["name"]), str(row["unit"]), points, str(row["over"]))
