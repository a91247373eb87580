"""xdist's scheduler for certification cases: one case at a time, each with the host that it gets.

xdist calls it from its own loop whenever a worker has something to say. A pulse in a thread lets it
look at the clock and at what hosts have free even when no worker says anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from harness.scheduling.book import read
from harness.scheduling.job import Job, Placed
from harness.scheduling.plan import Plan

PULSE = 5.0
"""Seconds between two looks at the clock."""


class Node(Protocol):
    """What is needed of xdist's WorkerController."""

    def send_runtest_some(self, indices: Sequence[object]) -> None:
        """Send what the worker shall run."""

    def notify_inproc(self, eventname: str, **kwargs: object) -> None:
        """Put an event into the queue of xdist's loop."""


class Dispatch:
    """Satisfies ``xdist.scheduler.protocol.Scheduling``; the plan decides.

    ``make_plan`` is called once the first worker has collected the jobs; ``look`` at each pulse,
    in xdist's loop.
    """

    def __init__(
        self,
        folder: Path,
        make_plan: Callable[[tuple[Job, ...]], Plan],
        look: Callable[[Plan], None] = lambda _: None,
    ) -> None:
        self.folder, self.make_plan, self.look = folder, make_plan, look
        self.plan: Plan | None = None
        self.running: dict[Node, Placed] = {}
        self._collected: dict[Node, bool] = {}
        self._index: dict[str, int] = {}
        self._over = threading.Event()

    @property
    def nodes(self) -> list[Node]:
        """Return the workers that there are."""
        return list(self._collected)

    @property
    def collection_is_completed(self) -> bool:
        """Return whether a worker has collected: nobody waits for the slowest."""
        return any(self._collected.values())

    @property
    def tests_finished(self) -> bool:
        """Return whether nothing is left to run and nothing runs."""
        finished = self.plan is not None and self.plan.finished
        if finished:
            self._over.set()
        return finished

    @property
    def has_pending(self) -> bool:
        """Return whether anything is left or runs."""
        return self.plan is not None and not self.plan.finished

    def add_node(self, node: Node) -> None:
        """Take a worker in; it has collected nothing yet."""
        self._collected[node] = False

    def add_node_collection(self, node: Node, collection: Sequence[str]) -> None:
        """Take note of what a worker has collected: all of them the same."""
        index = {item: number for number, item in enumerate(collection)}
        if self._index and index != self._index:
            said = "workers collected different cases: do they run the same checkout?"
            raise RuntimeError(said)
        self._index = index
        self._collected[node] = True

    def schedule(self) -> None:
        """Begin, or give a worker that came later something to do."""
        if self.plan is None:
            self.plan = self.make_plan(read(self.folder))
            threading.Thread(target=self._beat, daemon=True).start()
        self._give()

    def mark_test_complete(self, node: Node, item_index: int, duration: float = 0) -> None:  # noqa: ARG002  # xdist's form
        """Take note that a worker is done, and give it the next case."""
        assert self.plan is not None  # noqa: S101  # it ran something
        self.plan.done(self.running.pop(node).job.item)
        self._give()

    def mark_test_pending(self, item: str) -> None:
        """Never asked for: a case whose worker died is not run again by xdist."""
        raise NotImplementedError(item)

    def remove_pending_tests_from_node(self, node: Node, indices: Sequence[int]) -> None:  # noqa: ARG002  # xdist's form
        """Look around: this event is how the pulse gets into xdist's loop."""
        if self.plan is not None:
            self.look(self.plan)
            self._give()

    def remove_node(self, node: Node) -> str | None:
        """Let a worker go; return the item that it ran, when it died."""
        del self._collected[node]
        placed = self.running.pop(node, None)
        if placed is None or self.plan is None:
            return None
        self.plan.done(placed.job.item)
        self.plan.refused[placed.job.item] = "the worker that ran it died in the middle of it"
        self._give()
        return placed.job.item

    def _idle(self) -> Iterable[Node]:
        return [n for n, ready in self._collected.items() if ready and n not in self.running]

    def _give(self) -> None:
        assert self.plan is not None  # noqa: S101  # callers have looked
        for node in self._idle():
            placed = self.plan.next(datetime.now(UTC).timestamp())
            if placed is None:
                return
            self.running[node] = placed
            node.send_runtest_some([[self._index[placed.job.item], placed.host]])

    def _beat(self) -> None:
        while not self._over.wait(PULSE):
            for node in list(self._collected)[:1]:
                node.notify_inproc("unscheduled", node=node, indices=())
