"""Keeps a run's leases alive while it lives; a lease that somebody broke ends the run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.host.lease import RENEWED, own, path_of, read, renew
from harness.inventory.model import Host

if TYPE_CHECKING:
    from harness.host.psrp import PsrpSession


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def renewed(
    hosts: Sequence[Host],
    run: str,
    open_session: Callable[[Host], PsrpSession],
    *,
    every: float = RENEWED.total_seconds(),
    end: Callable[[], None] = _end,
) -> Iterator[None]:
    """Renew the run's lease on each host inside the block, ``every`` so many seconds.

    A host that cannot be reached is tried again the next time. Where the lease is gone, or is
    somebody else's, it was broken on purpose: the run has to end, for what it makes is swept.
    """
    over = threading.Event()

    def keep() -> None:
        while not over.wait(every):
            for host in hosts:
                if _broken(host, run, open_session):
                    end()
                    return

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(every)


def _broken(host: Host, run: str, open_session: Callable[[Host], PsrpSession]) -> bool:
    with suppress(HarnessError), open_session(host) as session:
        if read(session, path_of(host, run)) != own(run):
            return True
        renew(session, host, run)
    return False
