"""Who uses a host: leases, turns and what is swept, on a stand-in without machines."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import DeadlineExceeded, HostBusy
from harness.host import lease, turns
from harness.host.command import Cmdlet
from harness.host.lease import LASTS, Lease, alive, leased, leases, own, path_of, renew
from harness.host.sweep import sweep
from harness.host.tap import TappedSession
from harness.inventory.load import load
from harness.inventory.model import Host
from harness.secret import Secret
from tests.host.contract_host import PASSWORD, stand_in

INVENTORY = replace(
    load(Path(__file__).parents[2] / "inventories" / "embedded.yaml"), guests=(), lab=()
)
MINE, OTHER = "20261127-010000-aaaaaa", "20261127-020000-bbbbbb"
AWAY = Lease(OTHER, "another-machine/boot", 1, "1", "somebody")
FILES = "HVCERT_TEST_FILES"
Lab = tuple[TappedSession, Host]


@pytest.fixture(params=["2012r2", "2022"])
def lab(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Lab]:
    (tmp_path / "C").mkdir()
    monkeypatch.setenv(FILES, str(tmp_path))
    with stand_in(request.param, tmp_path) as (session, host):
        folder = {"Path": host.vm_path, "ItemType": "Directory"}
        session.run(Cmdlet("New-Item", folder))
        yield session, host


def file(lab: Lab, name: str, *, text: str = "", old: timedelta = timedelta()) -> None:
    """Make a file beside the VMs that was last written so long ago."""
    session, host = lab
    given = {"Path": f"{host.vm_path}\\{name}", "ItemType": "File", "Value": text}
    session.run(Cmdlet("New-Item", given))
    then = time.time() - old.total_seconds()
    os.utime(Path(os.environ[FILES]) / "C" / host.vm_path[3:] / name, (then, then))


def away(lab: Lab, old: timedelta = timedelta()) -> None:
    """Have a run of another machine use the host, its lease renewed so long ago."""
    file(lab, f"hvcert-{OTHER}.lease", text=json.dumps(asdict(AWAY)), old=old)


def test_a_lease_names_its_run_while_it_is_held_and_is_gone_afterwards(lab: Lab) -> None:
    session, host = lab
    with leased(session, host, MINE):
        (held,) = leases(session, host)
        assert (held.lease, held.dead) == (own(MINE), False)
        assert held.age < timedelta(minutes=1)
    assert leases(session, host) == ()


def test_two_runs_use_a_host_at_once(lab: Lab) -> None:
    session, host = lab
    away(lab)
    with leased(session, host, MINE):
        assert alive(session, host) == {MINE, OTHER}
    assert alive(session, host) == {OTHER}


def test_a_run_that_lives_keeps_its_name_to_itself(lab: Lab) -> None:
    session, host = lab
    away(lab)
    with (
        pytest.raises(HostBusy, match=r"run .*bbbbbb of somebody on another-machine"),
        leased(session, host, OTHER),
    ):
        pass


@pytest.mark.parametrize(
    ("past", "dead"), [(-timedelta(minutes=1), False), (timedelta(minutes=1), True)]
)
def test_a_lease_expires_by_the_hosts_clock(lab: Lab, past: timedelta, dead: int) -> None:
    """Nothing of it asks what time it is on a controller."""
    away(lab, LASTS + past)
    assert [held.dead for held in leases(*lab)] == [dead]
    if not dead:
        return
    with leased(*lab, OTHER):  # the dead sitting's name is free: the run may be resumed
        assert alive(*lab) == {OTHER}


def test_a_lease_that_is_renewed_lives_on(lab: Lab) -> None:
    session, host = lab
    with leased(session, host, MINE):
        renew(session, host, MINE)
        assert alive(session, host) == {MINE}


def test_a_dead_process_of_this_controller_has_no_lease(lab: Lab) -> None:
    file(lab, f"hvcert-{MINE}.lease", text=json.dumps(asdict(replace(own(MINE), started="1"))))
    assert alive(*lab) == frozenset()


def folder(lab: Lab, name: str) -> None:
    session, host = lab
    session.run(Cmdlet("New-Item", {"Path": f"{host.vm_path}\\{name}", "ItemType": "Directory"}))


def test_the_sweep_removes_what_the_dead_left_and_nothing_of_the_living(lab: Lab) -> None:
    session, host = lab
    dead = "20261126-000000-dddddd"
    away(lab)
    for run in (MINE, OTHER, dead):
        folder(lab, f"hvcert-{run}-nmi-01-1-1")
    with leased(session, host, MINE):
        swept = sweep(session, host, INVENTORY, run=MINE)
    assert swept == (f"hvcert-{dead}-nmi-01-1-1", f"hvcert-{MINE}-nmi-01-1-1")
    assert f"hvcert-{OTHER}-nmi-01-1-1" in lease.names(session, host)


def test_the_sweep_takes_dead_leases_and_turns_away(lab: Lab) -> None:
    session, host = lab
    away(lab, LASTS * 2)
    file(lab, f"hvcert-{OTHER}.turn-1-1")
    assert sweep(session, host, INVENTORY) == (f"lease of {OTHER}",)
    assert lease.names(session, host) == ()


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once, for what comes in the end, however busy the machine is."""
    monkeypatch.setattr(turns, "WITHIN", timedelta(seconds=60))
    monkeypatch.setattr(turns, "EVERY", timedelta(seconds=0.1))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WITHIN", timedelta(seconds=0.3))
    monkeypatch.setattr(turns, "EVERY", timedelta(seconds=0.1))


@pytest.mark.usefixtures("watchful")
def test_cases_of_two_runs_go_side_by_side(lab: Lab) -> None:
    away(lab)
    file(lab, f"hvcert-{OTHER}.turn-1-1")
    with turns.beside_others(*lab, MINE):
        assert sum(".turn-" in name for name in lease.names(*lab)) == 2
    assert sum(".turn-" in name for name in lease.names(*lab)) == 1


@pytest.mark.usefixtures("hasty")
def test_a_case_waits_for_a_run_that_has_the_host_alone(lab: Lab) -> None:
    away(lab)
    file(lab, turns.ALONE, text=json.dumps(asdict(AWAY)))
    with (
        pytest.raises(DeadlineExceeded, match="has hv for itself"),
        turns.beside_others(*lab, MINE),
    ):
        pass
    assert not any(".turn-" in name for name in lease.names(*lab))


@pytest.mark.usefixtures("hasty")
def test_who_wants_the_host_alone_waits_for_the_cases_of_others(lab: Lab) -> None:
    away(lab)
    file(lab, f"hvcert-{OTHER}.turn-1-1")
    with pytest.raises(DeadlineExceeded, match="the cases of other runs"), turns.alone(*lab, MINE):
        pass
    assert turns.ALONE not in lease.names(*lab)


@pytest.mark.usefixtures("watchful")
def test_the_dead_keep_nobody_waiting(lab: Lab) -> None:
    away(lab, LASTS * 2)
    file(lab, f"hvcert-{OTHER}.turn-1-1")
    file(lab, turns.ALONE, text=json.dumps(asdict(AWAY)))
    with turns.alone(*lab, MINE), turns.beside_others(*lab, MINE):
        assert turns.ALONE in lease.names(*lab)


def test_of_many_that_want_a_host_alone_one_has_it_at_a_time(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "EVERY", timedelta(seconds=0.05))
    host, inside, most = lab[1], list[str](), list[int]()

    def take(number: int) -> None:
        run = f"20261127-01000{number}-aaaaaa"
        with TappedSession(host, Secret(PASSWORD)) as session, leased(session, host, run):
            mode = turns.alone if number % 2 else turns.beside_others
            with mode(session, host, run):
                inside.append("alone" if number % 2 else "beside")
                most.append(len(inside) if "alone" in inside else 0)
                inside.remove("alone" if number % 2 else "beside")

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert len(most) == 8
    assert max(most) == 1


def test_a_broken_lease_ends_the_run_and_a_host_that_is_down_does_not(lab: Lab) -> None:
    from harness.host.renewal import renewed

    session, host = lab
    ended = threading.Event()

    def opened(host: Host) -> TappedSession:
        return TappedSession(host, Secret(PASSWORD))

    gone = replace(host, name="gone", port=9)
    with leased(session, host, MINE), renewed((gone, host), MINE, opened, every=0.5, end=ended.set):
        assert not ended.wait(1)
        lease.remove(session, path_of(host, MINE))
        assert ended.wait(120)
    with suppress(HostBusy):
        assert alive(session, host) == frozenset()


def test_a_lease_that_is_being_written_lives_and_so_does_its_run_s_property(lab: Lab) -> None:
    """A host may show a file before its text is there."""
    session, host = lab
    file(lab, f"hvcert-{OTHER}.lease")
    folder(lab, f"hvcert-{OTHER}-nmi-01-1-1")
    assert alive(session, host) == {OTHER}
    assert sweep(session, host, INVENTORY) == ()


@pytest.mark.usefixtures("hasty")
def test_a_host_that_is_being_taken_alone_is_taken(lab: Lab) -> None:
    away(lab)
    file(lab, turns.ALONE)
    with pytest.raises(DeadlineExceeded), turns.beside_others(*lab, MINE):
        pass


def test_the_sweep_takes_a_host_back_from_a_run_that_died_alone_on_it(lab: Lab) -> None:
    file(lab, turns.ALONE, text=json.dumps(asdict(AWAY)))
    sweep(*lab, INVENTORY)
    assert lease.names(*lab) == ()


def test_the_sweep_takes_away_what_a_killed_run_read_the_clock_by(lab: Lab) -> None:
    file(lab, f"{lease.CLOCK}1-1")
    sweep(*lab, INVENTORY)
    assert lease.names(*lab) == ()


@pytest.mark.usefixtures("hasty")
def test_a_host_that_a_case_could_not_give_back_is_taken_again_by_the_next(lab: Lab) -> None:
    session, host = lab
    with leased(session, host, MINE):
        file(lab, turns.ALONE, text=json.dumps(asdict(own(MINE))))
        with turns.alone(session, host, MINE):
            pass
        assert turns.ALONE not in lease.names(*lab)
