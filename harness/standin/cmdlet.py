"""How a cmdlet of the stand-in is written down: one function, listed in its noun's table.

    def start_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
        ...

    CMDLETS = (Cmdlet("Start-VM", start_vm), ...)

The function is called once per pipeline record with its bound parameters and yields what goes to
the output stream. Non-terminating errors go to ``streams.error``; ``raise Terminated(record)``
ends the pipeline. Which parameters exist, and how they bind, is the contract's word, not the
function's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.standin.api import Given, Streams
from harness.standin.values import Value

if TYPE_CHECKING:
    from harness.standin.host import Host

Body = Callable[["Host", Given, Streams], Iterable[Value]]


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """A cmdlet's name and body; ``whole``: called once, with all pipeline input in the Given."""

    name: str
    body: Body
    whole: bool = False
