"""What the announcement of these features showed, to stand beside a run's own figures.

Source: the announcement of the Linux guest features of Windows Server 2012 R2, as quoted in the
certification cases DM-07 and DM-08. Nothing is judged by these figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Announced:
    """A small table, and the sentence that keeps it from being read for more than it says."""

    title: str
    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


ANNOUNCED: Mapping[str, Announced] = {
    "DM-07": Announced(
        "The announcement's web server under rising load",
        ("guest", "memory", "at the first load", "at the highest load"),
        (
            ("static", "786 MB", "103 transactions/s, 58 ms", "32 transactions/s, 485 ms"),
            (
                "dynamic",
                "786 MB at start, 500 MB to 8 GB",
                "120 transactions/s, 182 ms",
                "130 transactions/s, 370 ms",
            ),
        ),
        "Another machine, another web server, another load: what can be compared is the shape. The"
        " static guest collapses, the dynamic one keeps its rate. On the stand-in rates and"
        " latencies are those of an emulator (TCG), and hvcert's own balancer decides how fast"
        " memory comes: such a run shows that guest and case work, and nothing of how fast or how"
        " well Hyper-V does it.",
    ),
    "DM-08": Announced(
        "The announcement's gain in density",
        ("figure", "announced"),
        (("more virtual machines on the same memory", "30 to 40 %"),),
        "On the stand-in the memory balancer is hvcert's own: the figure of this run says nothing"
        " about Hyper-V.",
    ),
}
"""By case id."""
