"""One run at a time on a host; a dead owner's lease is taken over, a live one's is respected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import HostBusy
from harness.host.command import Value
from harness.host.lease import Lease, leased
from harness.host.session import HostValue
from harness.inventory.load import load
from tests.host.answering import AnsweringHost, refuse

INVENTORY = Path(__file__).parents[2] / "inventories" / "embedded.yaml"
HOST = load(INVENTORY).hosts[0]


PATH = f"{HOST.vm_path}\\hvcert.lease"


class Drive:
    """Files of a host, as New-Item, Get-Content and Remove-Item see them."""

    def __init__(self, content: str | None = None) -> None:
        self.files = {} if content is None else {PATH: content}

    @property
    def content(self) -> str | None:
        return self.files.get(PATH)

    def new(self, given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        if given["ItemType"] == "File":
            if str(given["Path"]) in self.files:
                refuse("NewItemIOError,Microsoft.PowerShell.Commands.NewItemCommand")(given)
            self.files[str(given["Path"])] = str(given["Value"])
        return ()

    def get(self, given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        return tuple(self.files[str(given["Path"])].splitlines())

    def remove(self, given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        del self.files[str(given["Path"])]
        return ()

    def host(self) -> AnsweringHost:
        return AnsweringHost(
            {"New-Item": self.new, "Get-Content": self.get, "Remove-Item": self.remove}
        )


def lease(hours: float = 1, **changes: object) -> Lease:
    until = (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")
    return replace(Lease("run-1", "elsewhere", 1, "1", until), **changes)  # type: ignore[arg-type]


def test_a_lease_names_its_run_while_it_is_held_and_is_gone_afterwards() -> None:
    drive = Drive()
    with leased(drive.host(), HOST, "run-2"):
        assert json.loads(drive.content or "")["run"] == "run-2"
    assert drive.content is None


def test_a_living_owner_keeps_its_lease_and_is_named() -> None:
    drive = Drive(json.dumps(asdict(lease())))
    with pytest.raises(HostBusy, match="run run-1 of elsewhere"), leased(drive.host(), HOST, "x"):
        pass
    assert drive.content is not None


def test_an_expired_lease_is_taken_over() -> None:
    drive = Drive(json.dumps(asdict(lease(hours=-1))))
    with leased(drive.host(), HOST, "run-2"):
        assert "run-2" in (drive.content or "")


def test_a_lease_of_a_dead_process_of_this_controller_is_taken_over() -> None:
    with leased((drive := Drive()).host(), HOST, "first"):
        mine = Lease(**json.loads(drive.content or ""))
    drive = Drive(json.dumps(asdict(replace(mine, started="1"))))
    with leased(drive.host(), HOST, "run-2"):
        assert "run-2" in (drive.content or "")


def test_a_second_run_of_a_living_process_is_refused() -> None:
    drive = Drive()
    with (
        leased(drive.host(), HOST, "first"),
        pytest.raises(HostBusy),
        leased(drive.host(), HOST, "second"),
    ):
        pass


def test_while_another_run_takes_a_dead_lease_over_nobody_else_does() -> None:
    drive = Drive(json.dumps(asdict(lease(hours=-1))))
    drive.files[f"{PATH}.breaking"] = "somebody"
    with pytest.raises(HostBusy, match="taking over"), leased(drive.host(), HOST, "run-2"):
        pass
