"""A guest whose file systems stand still while something is done to its disks.

Its own freeze service does it (qemu-guest-agent: FIFREEZE on every mounted file system); a guest
without one cannot be frozen, and then nothing is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.standin.agent import Agent
from harness.standin.machines import CannotFreeze, MachineError


@contextmanager
def frozen(agent: Agent, listening: Callable[[], bool]) -> Iterator[int]:
    """Freeze inside the block and thaw after it; yields how many file systems stand still.

    Raises CannotFreeze before the block, MachineError after it when the guest did not thaw.
    """
    if not listening():
        raise CannotFreeze("the guest's freeze service is not there")
    count = agent.freeze()
    if not count:
        agent.thaw()  # some may stand still already
        raise CannotFreeze("the guest did not freeze its file systems")
    try:
        yield count
    finally:
        thawed = agent.thaw()
    if thawed is None:
        raise MachineError("the guest did not thaw its file systems")
