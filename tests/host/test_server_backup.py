"""Where a backup may go, whether its job went well, and that nothing of ours stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import DeadlineExceeded, EvidenceError, HostError
from harness.host import server_backup
from harness.host.server_backup import NO_FEATURE, ON_SHARE, ROOM, Unfit, Volume, choose, volumes
from harness.host.session import HostValue
from harness.host.sweep import sweep
from harness.host.vm import Vm
from harness.inventory.load import load
from harness.units import Bytes, GiB
from tests.host.answering import AnsweringHost, Reply, refuse, thing

INVENTORY = load(Path(__file__).parents[2] / "inventories" / "embedded.yaml")
HOST = INVENTORY.hosts[0]
NAME = "hvcert-20261125-101500-3fa9c1-bak-01-1-1"
C, D, E = (Volume(letter, 100 * GiB) for letter in ("C:", "D:", "E:"))


def answer(*objects: HostValue) -> Reply:
    return lambda _given: objects


def job(state: str = "Completed", result: int = 0, start: str = "now") -> HostValue:
    return thing(JobState=state, HResult=result, StartTime=start)


def in_turn(*answers: tuple[HostValue, ...]) -> Reply:
    left = list(answers)
    return lambda _given: left.pop(0) if len(left) > 1 else left[0]


def test_only_local_fixed_drives_count() -> None:
    found = volumes(
        (
            thing(DeviceID="e:", DriveType=3, FreeSpace=5),
            thing(DeviceID="D:", DriveType=5, FreeSpace=None),
        )
    )
    assert found == (Volume("E:", Bytes(5)),)


@pytest.mark.parametrize(
    ("path", "wanted", "found", "chosen"),
    [
        ("D:\\vms", "", (C, D, E), "E:"),
        ("C:\\vms", "", (C, D, replace(E, free=200 * GiB)), "E:"),
        ("D:\\vms", "C:", (C, D), "C:"),
        ("D:\\vms", "e:", (C, D, E), "E:"),
    ],
)
def test_a_backup_goes_to_the_named_or_the_emptiest_other_drive(
    path: str, wanted: str, found: tuple[Volume, ...], chosen: str
) -> None:
    host = replace(HOST, vm_path=path, backup_target=wanted)
    assert choose(host, found, GiB) == next(v for v in found if v.letter == chosen)


@pytest.mark.parametrize(
    ("path", "wanted", "needed", "said"),
    [
        ("\\\\files\\vms", "", GiB, "lie on a share"),
        ("E:\\vms", "", GiB, "no drive for backups beside E:"),
        ("E:\\vms", "E:", GiB, "is no local drive of the host, or the one of the VMs"),
        ("D:\\vms", "X:", GiB, "backup_target X: is no local drive"),
        ("D:\\vms", "", 101 * GiB, "E: has 100 GiB free, 102 GiB are needed"),
    ],
)
def test_a_host_that_has_no_place_for_backups_is_told_why(
    path: str, wanted: str, needed: Bytes, said: str
) -> None:
    unfit = choose(replace(HOST, vm_path=path, backup_target=wanted), (C, E), needed)
    assert isinstance(unfit, Unfit)
    assert said in unfit.what
    assert (unfit is ON_SHARE) == path.startswith("\\\\")


def test_a_host_without_the_feature_is_told_what_to_install() -> None:
    session = AnsweringHost({"Get-WBSummary": refuse("CommandNotFoundException")})
    with pytest.raises(HostError) as caught:
        server_backup.target_for(session, HOST, ())
    assert (caught.value.what, caught.value.advice) == (NO_FEATURE.what, NO_FEATURE.advice)


def test_the_room_needed_is_that_of_the_disks_and_some_more() -> None:
    session = AnsweringHost(
        {
            "Get-VHD": answer(thing(FileSize=90 * GiB.count)),
            "Get-CimInstance": answer(
                thing(DeviceID="E:", DriveType=3, FreeSpace=(90 * GiB + ROOM).count - 1)
            ),
        }
    )
    with pytest.raises(HostError, match="E: has 91 GiB free"):
        server_backup.target_for(session, HOST, ("C:\\d.vhdx",))


def host(**replies: Reply) -> AnsweringHost:
    table: dict[str, Reply] = {
        "Get-WBSummary": answer(thing(CurrentOperationStatus="NoOperationInProgress")),
        "Get-WBJob": in_turn((job(start="before"),), (job(),)),
        "Get-WBBackupSet": in_turn(
            (thing(VersionId="1"),), (thing(VersionId="1"), thing(VersionId="2"))
        ),
    }
    return AnsweringHost(table | {name.replace("_", "-"): r for name, r in replies.items()})


def test_a_backup_remembers_its_volume_first_and_names_the_new_set() -> None:
    session = host()
    polled: list[int] = []
    version, ended = server_backup.back_up(
        Vm(session, NAME, "", ""), "C:\\f", "E:", lambda: polled.append(1)
    )
    assert (version, ended.state, len(polled)) == ("2", "Completed", 1)
    (
        first,
        *_,
    ) = session.asked
    assert first == (
        "New-Item -Path 'C:\\f\\backup-volume.txt' -Value 'E:' -ItemType 'File' -Force:$true"
    )
    ended.check(session, "the backup")


@pytest.mark.parametrize("ended", [job("Failed"), job("Completed", -2139619048)])
def test_a_job_that_failed_is_an_error(ended: HostValue) -> None:
    session = host(Get_WBJob=in_turn((), (ended,)))
    _, found = server_backup.back_up(Vm(session, NAME, "", ""), "C:\\f", "E:", lambda: None)
    with pytest.raises(HostError, match="the backup ended"):
        found.check(session, "the backup")


def test_the_job_before_is_not_taken_for_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_backup, "JOB_WITHIN", server_backup.POLL / 1000)
    session = host(Get_WBJob=answer(job(start="before")))
    with pytest.raises(DeadlineExceeded):
        server_backup.back_up(Vm(session, NAME, "", ""), "C:\\f", "E:", lambda: None)


def test_the_restored_vm_is_the_one_below_its_folder() -> None:
    machines = (
        thing(Path="C:\\v\\a", State="Off"),
        thing(Path="C:\\v\\a\\restored\\C_", State="Saved"),
    )
    vm = Vm(AnsweringHost({"Get-VM": answer(*machines)}), "a", "", "")
    assert server_backup.restored_state(vm, "c:\\V\\a\\restored").value == "Saved"
    assert server_backup.restored_state(vm, "C:\\elsewhere").value == ""
    with pytest.raises(EvidenceError, match=r"single restored VM below C:\\v \(2 are there\)"):
        server_backup.restored_state(vm, "C:\\v")


def test_backups_are_forgotten_where_the_folder_remembers_them_and_only_there() -> None:
    session = AnsweringHost(
        {
            "Test-Path": answer(True),  # noqa: FBT003
            "Get-Content": answer("E:"),
            "remove-backups": answer("2"),
        }
    )
    assert server_backup.forget_backups(session, NAME, "C:\\f") == ("2",)
    assert f".\\remove-backups.ps1 -VMName '{NAME}' -VolumePath 'E:'" in session.asked
    nothing = AnsweringHost({"Test-Path": answer(False)})  # noqa: FBT003
    assert server_backup.forget_backups(nothing, NAME, "C:\\f") == ()
    assert len(nothing.asked) == 1


def test_a_turn_that_another_case_has_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_backup, "TURN_WITHIN", server_backup.POLL / 1000)
    taken = AnsweringHost({"New-Item": refuse("NewItemIOError,x")})
    with pytest.raises(DeadlineExceeded), server_backup.turn(taken, HOST):
        pass
    assert not any(call.startswith("Remove-") for call in taken.asked)
    free = AnsweringHost({"Test-Path": answer(True)})  # noqa: FBT003
    with server_backup.turn(free, HOST):
        pass
    assert free.asked[-1].startswith("Remove-Item")


def test_a_sweep_removes_the_backups_before_the_folder_that_remembers_them() -> None:
    folder = f"{HOST.vm_path}\\{NAME}"
    session = AnsweringHost(
        {
            "Get-VM": answer(thing(Name=NAME, Path=folder, Notes="hvcert run=x", State="Off")),
            "Test-Path": answer(True),  # noqa: FBT003
            "Get-Content": answer("E:"),
        }
    )
    assert NAME in sweep(session, HOST, INVENTORY)
    gone = f".\\remove-backups.ps1 -VMName '{NAME}' -VolumePath 'E:'"
    removed = f"Remove-Item -Path '{folder}' -Recurse:$true -Force:$true"
    assert session.asked.index(gone) < session.asked.index(removed)
