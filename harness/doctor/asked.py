"""A host session that is opened at the first question and asks each question once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import TypeAlias

from harness.host.command import Cmdlet
from harness.host.session import Answer, HostSession
from harness.inventory.model import Guest, Host

OpenSession: TypeAlias = Callable[[Host], AbstractContextManager[HostSession]]


class HostAsked:
    """One host under examination, its guests, and what it has answered so far."""

    def __init__(self, host: Host, guests: tuple[Guest, ...], open_session: OpenSession) -> None:
        self.host, self.guests = host, guests
        self._open = open_session
        self._stack = ExitStack()
        self._session: HostSession | None = None
        self._answers: dict[str, Answer] = {}

    def __enter__(self) -> HostAsked:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def ask(self, name: str, **parameters: str) -> Answer:
        """Run a Get-… or Test-… cmdlet, or return what it answered before."""
        question = repr((name, sorted(parameters.items())))
        if question not in self._answers:
            call = Cmdlet(name, parameters, safe_to_repeat=True)
            self._answers[question] = self._opened().run(call)
        return self._answers[question]

    def _opened(self) -> HostSession:
        if self._session is None:
            self._session = self._stack.enter_context(self._open(self.host))
        return self._session
