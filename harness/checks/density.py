"""DM-08: how many guests run within the same memory, with static and with dynamic memory. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.checks.memory import HostMemory
from harness.evidence import Evidence, Measured
from harness.series import Series
from harness.units import Bytes, MiB
from harness.verdict import Verdict, all_of, pass_if

ANNOUNCED = "30 to 40 %"
"""The gain of the announcement of dynamic memory for Linux guests (Windows Server 2012 R2)."""

OURS = "the stand-in's balancer is ours, so this gain says nothing about Hyper-V"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Guests that ran at once; ``room`` was free before the first, ``answered`` how many did.

    ``refusal``: why the host started no further one; None where it was never asked for more.
    """

    room: Measured[Bytes]
    memory: tuple[Measured[HostMemory], ...]
    answered: int
    refusal: str | None
    evidence: tuple[Evidence, ...] = ()

    @property
    def count(self) -> int:
        """Return how many guests ran."""
        return len(self.memory)

    @property
    def assigned(self) -> Bytes:
        """Return what all of them had together."""
        return Bytes(sum(read.value.assigned.count for read in self.memory))

    @property
    def proof(self) -> tuple[Evidence, ...]:
        """All texts, in the order of asking."""
        memory = tuple(piece for read in self.memory for piece in read.evidence)
        return self.room.evidence + memory + self.evidence


def judge_density(static: Crowd, dynamic: Crowd, *, ours: bool) -> Verdict:
    """Judge DM-08: more guests with dynamic memory, all answering, within the room.

    The gain is reported, not judged. ``ours``: the balancer is the stand-in's.
    """
    gain = round(100 * (dynamic.count - static.count) / max(1, static.count))
    told = f"{static.count} guests with static, {dynamic.count} with dynamic memory (+{gain} %"
    told += f"; announced: {ANNOUNCED})" + (f"; {OURS}" if ours else "")
    curves = tuple(
        Series(name, "MiB", _heights(crowd), "guests")
        for name, crowd in (("static", static), ("dynamic", dynamic))
    )
    return all_of(
        told,
        pass_if(dynamic.count > static.count, told, static.proof + dynamic.proof, curves),
        *(_judge_crowd(name, c) for name, c in (("static", static), ("dynamic", dynamic))),
    )


def _judge_crowd(name: str, crowd: Crowd) -> Verdict:
    within = crowd.assigned <= crowd.room.value
    deaf = crowd.count - crowd.answered
    wrong = [] if within else [f"they had {_mib(crowd.assigned)} of {_mib(crowd.room.value)}"]
    wrong += [f"{deaf} did not answer"] if deaf else []
    because = f"with {name} memory: {'; '.join(wrong) or 'all within the room, all answering'}"
    return pass_if(not wrong and crowd.count > 0, because, crowd.proof)


def _heights(crowd: Crowd) -> tuple[tuple[float, float], ...]:
    sums, total = [], 0
    for number, read in enumerate(crowd.memory, 1):
        total += read.value.assigned.count
        sums.append((float(number), round(total / MiB.count, 1)))
    return tuple(sums)


def _mib(size: Bytes) -> str:
    return f"{size.count / MiB.count:.0f} MiB"
