"""What was done in a case, step by step, and where its time went: as reports show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done, or several alike in a row.

    ``at``: seconds since the case began, ``seconds``: how long it took in all. ``kind``: ``action``
    (the host did something), ``question`` (the host was asked), ``guest``, ``login`` or ``note``.
    ``who``: inventory name. ``times``: how often in a row. ``wrong``: the error, "" without one.
    """

    at: float
    seconds: float
    kind: str
    who: str
    what: str
    times: int = 1
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of one case, adding up to ``total``.

    ``guest``: commands, logins and waits for a state to come; ``host``: calls, while nothing in the
    guest was waited for; ``own``: all that was neither.
    """

    total: float
    guest: float
    host: float

    @property
    def own(self) -> float:
        """Return the seconds of the harness's own work."""
        return max(0.0, self.total - self.guest - self.host)

    @property
    def own_share(self) -> float:
        """Return own work as a share of the whole, 0 to 1."""
        return self.own / self.total if self.total else 0.0


def together(parts: tuple[Spent, ...]) -> Spent:
    """Add up the time of several cases."""
    return Spent(
        sum(part.total for part in parts),
        sum(part.guest for part in parts),
        sum(part.host for part in parts),
    )
