"""What may stand between the WinRM service of a host and whoever asks it.

A ``Between`` is given the rest of the service and returns what answers in its place. Beside a
``wsman.Fault`` it may raise ConnectionError (the connection ends without an answer) and
Unavailable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from harness.standin.wsman import Envelope

Handle = Callable[[str, Envelope], Awaitable[str]]
"""Takes the user and the request; returns the body of the answer."""

Between = Callable[[Handle], Handle]


class Unavailable(Exception):
    """Answer HTTP 503, as http.sys does when the service behind it cannot take the request."""
