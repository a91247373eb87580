"""What a seeded fault is, where it takes hold of a host, and what it must do to the verdicts.

A fault is planted before its host serves. It replaces something that the host has anyway: one call
of an edge (``host.machines``, ``host.disks``), a number of ``host.rules``, a cmdlet, a WMI method,
the way to the WinRM service. Code that is not seeded asks nowhere whether there is a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from harness.standin.host import Host

T = TypeVar("T")


class Level(Enum):
    """Where the real defect would be: in the host, in the guest, or between host and harness."""

    HOST = "host"
    GUEST = "guest"
    WIRE = "wire"


@dataclass(frozen=True, slots=True)
class Fault:
    """``does`` says in one sentence what is broken, ``where`` at which place of the stand-in."""

    name: str
    level: Level
    does: str
    where: str
    plant: Callable[[Host], None]


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


class _Tampered:
    def __init__(self, whole: object, instead: dict[str, Callable[..., Any]]) -> None:
        self._whole, self._instead = whole, instead

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the whole one has
        return self._instead.get(name) or getattr(self._whole, name)


def tampered(whole: T, **instead: Callable[..., Any]) -> T:
    """Return an object that is the whole one but for these methods, which it must have."""
    for name in instead:
        getattr(whole, name)
    return cast(T, _Tampered(whole, instead))
