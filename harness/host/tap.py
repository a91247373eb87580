"""A session that also keeps the CLIXML of every output object, as the host sent it.

The library turns CLIXML into Python values, which no longer say how wide a number was. What a host
puts on the wire is read from the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from pypsrp.serializer import Serializer

from harness.host.psrp import PsrpSession

if TYPE_CHECKING:
    from pypsrp.complex_objects import ObjectMeta
    from pypsrp.powershell import RunspacePool

    from harness.deadline import Deadline
    from harness.host.command import Call
    from harness.inventory.model import Host
    from harness.secret import Secret


class TappedSession(PsrpSession):
    """A session whose ``heard`` grows by one CLIXML text for each output object."""

    def __init__(self, host: Host, password: Secret | None) -> None:
        super().__init__(host, password)
        self.heard: list[str] = []

    def _open(self, call: Call, deadline: Deadline) -> RunspacePool:
        pool = super()._open(call, deadline)
        # The library has no public way to see a message before it is read.
        tapped = _Tapped(self.heard.append)
        vars(pool)["_serializer"] = tapped
        vars(pool)["_fragmenter"].serializer = tapped
        return pool


class _Tapped(Serializer):
    """The library's reader; only output objects come to it as a text of no known kind."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        super().__init__()
        self._hear = hear

    def deserialize(
        self,
        element: ET.Element | str,
        metadata: ObjectMeta | None = None,
        clear: bool = True,  # noqa: FBT001, FBT002  # the library's signature
    ) -> Any:  # noqa: ANN401  # the library's signature
        if isinstance(element, str) and metadata is None:
            self._hear(element)
        return super().deserialize(element, metadata, clear)
