"""How many sessions a worker holds: a host allows a user 30 shells, whatever their number."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.host import turns
from harness.host.command import Call
from harness.host.session import Answer
from harness.inventory.load import load
from harness.record.line import Line
from harness.run import Hosts

EMBEDDED = Path(__file__).parents[2] / "inventories" / "embedded.yaml"


class Session:
    """Counts the shells that are open at its host, as a real one: a call opens, close closes."""

    def __init__(self, name: str, shells: Counter[str]) -> None:
        self.name, self._shells, self._is_open = name, shells, False

    def run(self, call: Call, *, within: timedelta = timedelta(0)) -> Answer:
        raise NotImplementedError(call, within)  # turns and facts are stood in for: none is made

    def touch(self) -> None:
        self._shells[self.name] += not self._is_open
        self._is_open = True

    def close(self) -> None:
        self._shells[self.name] -= self._is_open
        self._is_open = False


def test_a_worker_has_one_shell_and_none_at_hosts_that_it_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shells = Counter[str]()
    read = load(EMBEDDED)
    one = read.hosts[0]
    other = cast("Any", SimpleNamespace(name="another"))

    def turn(session: Session, *_: object) -> AbstractContextManager[None]:
        session.touch()
        return nullcontext()

    monkeypatch.setattr(turns, "beside_others", turn)
    monkeypatch.setattr("harness.run.measure_host", Session.touch)
    line = cast("Line", SimpleNamespace(session=lambda host: Session(host.name, shells)))
    hosts = Hosts(read, "run", line, tmp_path)
    with hosts.turn(one, alone=False):
        assert hosts.get(one).session.name == one.name
        assert shells == {one.name: 1}
    with hosts.turn(other, alone=False):
        hosts.get(other)
        assert shells == {one.name: 0, "another": 1}
    with hosts.turn(one, alone=False):
        assert shells == {one.name: 1, "another": 0}
    hosts.close()
    assert not +shells
