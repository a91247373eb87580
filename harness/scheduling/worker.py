"""A worker that runs one case at a time, as it is told: xdist's own runs none before it has two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, Protocol


class Channel(Protocol):
    """What is needed of execnet's channel to the controller."""

    def setcallback(self, callback: Callable[[Any], None], endmarker: object) -> None:
        """Hand every command to the callback, and the mark when the channel ends."""


class Interactor(Protocol):
    """What is needed of xdist's plugin in a worker (``xdist.remote.WorkerInteractor``)."""

    channel: Channel
    item_index: int

    def sendevent(self, name: str, **kwargs: object) -> None:
        """Tell the controller."""


def interactor(plugins: Sequence[object]) -> Interactor | None:
    """Return xdist's plugin of a worker; None in a process that is none."""
    return next((p for p in plugins if type(p).__name__ == "WorkerInteractor"), None)  # type: ignore[return-value]  # xdist runs its module as a script: its class cannot be imported


def serve(xdist: Interactor, run: Callable[[int, str], bool]) -> None:
    """Run what the controller sends, (index of the item, host), until it says shutdown.

    ``run`` returns False to end early.
    """
    commands: SimpleQueue[tuple[str, dict[str, Any]] | None] = SimpleQueue()
    xdist.channel.setcallback(commands.put, endmarker=None)
    while (command := commands.get()) is not None and command[0] != "shutdown":
        for index, host in command[1].get("indices", ()):
            xdist.item_index = index
            began = datetime.now(UTC)
            go_on = run(index, host)
            took = (datetime.now(UTC) - began).total_seconds()
            xdist.sendevent("runtest_protocol_complete", item_index=index, duration=took)
            if not go_on:
                return
