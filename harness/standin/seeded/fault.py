"""What a seeded fault is, and what it must do to the verdicts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One case that must notice a fault.

    ``because`` and ``parameters`` are regular expressions: the first is found in the verdict's
    sentence, the second is the whole of the parameter (all of them where it is not given).
    ``outcomes`` are the ones that do; ``windows`` the releases it holds for, all where none is
    named. What no cell of a fault names must end as without the fault.
    """

    case: str
    because: str
    parameters: str = ".*"
    outcomes: tuple[str, ...] = ("fail",)
    windows: tuple[str, ...] = ()
