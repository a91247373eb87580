"""What a host shows of a guest that does not answer or end, kept before anybody touches the VM."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from harness.checks.framebuffer import Size
from harness.errors import DeadlineExceeded, GuestUnreachable, HarnessError, HostRefused
from harness.evidence import Evidence
from harness.host.display import thumbnail

if TYPE_CHECKING:
    from harness.host.vm import Vm

SCREEN = Size(800, 600)
"""Large enough to read a console of 80 columns; a megabyte of the host's answer, asked for once."""


@contextmanager
def watched(vm: Vm, kept: list[Evidence]) -> Iterator[None]:
    """Keep the VM's state and its screen when the guest did not answer, or the host refused.

    A host refuses a shutdown that the guest has not ended in time. The error of the block goes on;
    what the host cannot show is left out.
    """
    try:
        yield
    except (DeadlineExceeded, GuestUnreachable, HostRefused):
        with suppress(HarnessError):
            kept.extend(vm.measured_state().evidence)
        with suppress(HarnessError):
            kept.extend(thumbnail(vm, SCREEN).evidence)
        raise
