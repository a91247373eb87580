"""DM-07's steps: a web server under rising load from a second guest over a private switch.

The announcement tells rates and latencies of Apache under a rising load, not its pages. Here each
process of Apache holds memory of its own, as web applications do, and reads all of it for each
answer; a step has as many processes as clients, so the memory in use is known and rises with the
load. Apache's own ``ab`` makes the load, as in lis-test's retired Perf_AB. The guest has a swap
file as large as the largest step needs: without one the kernel would kill what the static guest
cannot hold, and a guest whose memory is only just coming would lose requests for a moment's lack.
Both settings have the same guest, the same swap and the same steps, and each step is measured when
the guest's memory has come to rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from harness import dynamic
from harness.checks import bounds
from harness.checks.memory import Limits, Sample
from harness.checks.web import SWAPPED, Round, Step
from harness.errors import EvidenceError
from harness.evidence import Evidence
from harness.guest import web
from harness.guest.web import Client
from harness.host import private
from harness.neighbour import neighbour
from harness.sampling import Sampler
from harness.units import Bytes, MiB
from harness.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from harness.bench import Bench, GuestUnderTest

ANNOUNCED = Limits(bounds.ANNOUNCED_STARTUP, bounds.ANNOUNCED_MINIMUM, bounds.ANNOUNCED_MAXIMUM)
URL = f"http://{private.NETWORK}.1:{web.PORT}/held?{bounds.WEB_HELD // MiB}"
SWAP = Bytes(int(max(bounds.WEB_SHARES) * bounds.DM_STARTUP.count))
GROWS_TO = Bytes(int((max(bounds.WEB_SHARES) + 1.5) * bounds.DM_STARTUP.count))
"""What the dynamic guest may come to have at the largest step: its buffer and its system, too."""

EVERY = timedelta(seconds=2)
WARM = timedelta(seconds=15)
RESTS = timedelta(seconds=10)
RESTS_WITHIN = timedelta(minutes=3)
WARM_LONGEST = timedelta(minutes=10)
ANSWERS_WITHIN = timedelta(minutes=3)
ENDS_WITHIN = bounds.WEB_MEASURED + bounds.WEB_SILENT + timedelta(minutes=3)


def too_little(bench: Bench) -> Verdict | None:
    """Return why the host has no room for the guest to grow; None if it has."""
    room = bench.fillers.room()
    left = room.value.free - room.value.reserve
    if left >= GROWS_TO:
        return None
    because = f"the dynamic guest may grow to {GROWS_TO}, the host has {left} above its reserve"
    return Verdict(Outcome.NOT_RUN, because, room.evidence)


@contextmanager
def client(bench: Bench) -> Iterator[Client]:
    """Boot the guest with static memory and a second one beside it, which makes the load."""
    bench.vm.set_memory(bounds.DM_STARTUP)
    with neighbour(bench) as other:
        other.needs_programs(web.CLIENT)
        yield Client(_up(other).shell, URL)


def static(bench: Bench, other: Client) -> Round:
    """Take every step with static memory, the guest being up; shut it down.

    Tasks that wait long for what was swapped out are the case's own doing.
    """
    guest = _up(bench)
    bench.provoked = frozenset({"oom", "hung-task"})
    rising = Rising(bench, other, guest, Sampler(bench.vm, guest))
    found = rising.take(f"static {bounds.DM_STARTUP}", bounds.WEB_SHARES)
    bench.stop()
    bench.provoked = frozenset()
    return found


def flexible(
    bench: Bench, other: Client, limits: Limits, shares: tuple[float, ...]
) -> tuple[Round, Bytes]:
    """Boot the guest with dynamic memory and take these steps; return its memory block, too."""
    life = dynamic.begin(bench, limits)
    rising = Rising(bench, other, life.guest, life.sampler, life)
    sizes = (limits.startup, limits.minimum, limits.maximum)
    name = f"dynamic {'/'.join(str(size // MiB) for size in sizes)} MiB"
    found = rising.take(name, shares)
    bench.stop()
    return found, life.step


@dataclass(slots=True)
class Rising:
    """One guest under rising load; ``life`` where its memory is dynamic."""

    bench: Bench
    other: Client
    guest: GuestUnderTest
    sampler: Sampler
    life: dynamic.Life | None = None

    def take(self, name: str, shares: tuple[float, ...]) -> Round:
        """Take one step after the other, then end the server: a full guest cannot shut down."""
        self.bench.context += web.equip(self.guest.shell, self.bench.family, SWAP)
        steps = tuple(self._step(name, share) for share in shares)
        web.end_server(self.guest.shell)
        return Round(name, steps, self.sampler.log().value)

    def _step(self, name: str, share: float) -> Step:
        workers = int(share * bounds.DM_STARTUP.count) // bounds.WEB_HELD.count
        self.bench.story.append(f"{name}: {workers} clients, {bounds.WEB_HELD} held for each")
        started = web.start_server(self.guest.shell, self.bench.family, workers)
        self.bench.context += (started, *self._first_answer())
        self.sampler.phase = f"{name}, to {share:g}"
        self.other.begin(workers, WARM_LONGEST, RESTS_WITHIN)
        self.sampler.until("memory at rest", AtRest(self.life), RESTS_WITHIN, every=EVERY)
        self.other.stop()
        self.sampler.phase = phase = f"{name}, at {share:g}"
        self.other.begin(workers, bounds.WEB_MEASURED, bounds.WEB_SILENT)
        if not self.sampler.until("load", lambda _: self.other.ended(), ENDS_WITHIN, every=EVERY):
            wanted = f"end of its load within {ENDS_WITHIN.total_seconds():.0f} s"
            raise EvidenceError(f"ab in {self.other.shell.name}", wanted, "")
        swapped = self.guest.measure(SWAPPED)
        return Step(share, self.other.read(), self.sampler.log(phase), swapped)

    def _first_answer(self) -> tuple[Evidence, ...]:
        """Wait until the server answers the client, and rightly."""
        last = [self.other.one_request()]

        def answers() -> bool | None:
            if last[0].value.errors:
                last[0] = self.other.one_request()
            return None if last[0].value.errors else True

        if self.guest.wait_for(f"an answer of {URL}", answers, ANSWERS_WITHIN) is None:
            wanted = f"answer of {URL} (is the guest's firewall open to {private.NETWORK}.0/24?)"
            raise EvidenceError("ab", wanted, last[0].evidence[0].answer)
        return last[0].evidence


class AtRest:
    """Tells whether the host has long moved no memory and the guest has long asked for none."""

    def __init__(self, life: dynamic.Life | None) -> None:
        self._life, self._size = life, Bytes(0)
        self._begun = self._since = -1.0

    def __call__(self, sample: Sample) -> bool:
        """Look at one more sample."""
        has, life = sample.after.assigned, self._life
        if self._begun < 0:
            self._begun = sample.at
        if has != self._size or (life and life.asks(sample) >= has + life.step):
            self._size, self._since = has, sample.at
        rested, warmed = sample.at - self._since, sample.at - self._begun
        return rested >= RESTS.total_seconds() and warmed >= WARM.total_seconds()


def _up(bench: Bench) -> GuestUnderTest:
    if bench.running is None:
        raise EvidenceError("guest", "boot that answers", bench.vm.name)
    return bench.running
