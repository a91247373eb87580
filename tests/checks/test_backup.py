"""Online or not, by what guest and host show; and which file systems count."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TypeVar

import pytest

from harness.checks import bounds
from harness.checks.backup import (
    CHECKPOINT_VM,
    Signs,
    Tick,
    judge_not_called_online,
    judge_online,
    judge_refused_checkpoint,
    parse_uptime,
)
from harness.checks.filesystems import Mounted, Volume, parse_mounts, parse_volumes
from harness.checks.freeze import (
    FreezeLog,
    Step,
    freeze_log,
    parse_cursor,
    parse_freeze_log,
)
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.host.session import Attempt, Refusal, RefusedBy
from harness.verdict import Outcome

T = TypeVar("T")
PROOF = (Evidence("asked", "answered", "guest recorded"),)
JUMP = bounds.BACKUP_CLOCK_JUMP.total_seconds()


def m(value: T) -> Measured[T]:
    return Measured(value, PROOF)


ONLINE = Signs(
    log=m(FreezeLog((Step.FROZE, Step.THAWED))),
    boots=(m("one"), m("one")),
    ticks=(m(Tick(100.0, 100.5, 50.0)), m(Tick(120.0, 120.5, 70.1))),
    states=(m("Running"), m("Running")),
    copy_state=m("Off"),
)


def after(uptime: float) -> tuple[Measured[Tick], Measured[Tick]]:
    return ONLINE.ticks[0], m(Tick(120.0, 120.5, uptime))


def test_frozen_thawed_and_otherwise_undisturbed_is_online() -> None:
    assert judge_online(ONLINE).outcome is Outcome.PASS


def test_all_that_an_online_backup_must_not_be_is_said_the_freeze_first() -> None:
    states = tuple(m(state) for state in ("Running", "Saving", "Saved"))
    log, boots = m(FreezeLog(())), (m("one"), m("two"))
    verdict = judge_online(replace(ONLINE, log=log, states=states, boots=boots))
    assert verdict.because == (
        "the guest's freeze service logged nothing, not a freeze and a thaw;"
        " the guest booted anew; the VM was seen Saved, Saving"
    )


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        (replace(ONLINE, log=m(FreezeLog(()))), "logged nothing"),
        (replace(ONLINE, log=m(FreezeLog((Step.FROZE,)))), "logged froze, not"),
        (replace(ONLINE, log=m(FreezeLog((Step.THAWED, Step.FROZE)))), "not a freeze and a thaw"),
        (replace(ONLINE, log=m(FreezeLog((Step.FROZE, Step.FAILED, Step.THAWED)))), "failed"),
        (replace(ONLINE, boots=(m("one"), m("two"))), "booted anew"),
        (replace(ONLINE, states=(m("Running"), m("Saved"))), "seen Saved"),
        (replace(ONLINE, copy_state=m("Saved")), "State is Saved, not Off"),
        (replace(ONLINE, ticks=after(69.4 - JUMP)), "jumped by"),
        (replace(ONLINE, ticks=after(70.6 + JUMP)), "jumped by"),
    ],
)
def test_each_sign_of_something_else_fails_alone(signs: Signs, said: str) -> None:
    verdict = judge_online(signs)
    assert (verdict.outcome, said in verdict.because) == (Outcome.FAIL, True), verdict.because


@pytest.mark.parametrize("uptime", [69.6 - JUMP, 70.4 + JUMP])
def test_a_clock_within_the_bound_is_no_jump(uptime: float) -> None:
    assert judge_online(replace(ONLINE, ticks=after(uptime))).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("states", "copy", "outcome"),
    [
        (("Running", "Saved"), "Saved", Outcome.PASS),
        (("Running",), "Saved", Outcome.PASS),
        (("Saved",), "Off", Outcome.FAIL),
        (("Saving", "Running"), "Off", Outcome.FAIL),
        (("Running",), "Off", Outcome.FAIL),
        (("Running",), "Paused", Outcome.FAIL),
    ],
)
def test_without_a_freeze_the_host_has_to_say_so(
    states: tuple[str, ...], copy: str, outcome: Outcome
) -> None:
    signs = replace(
        ONLINE, log=m(FreezeLog(())), states=tuple(m(s) for s in states), copy_state=m(copy)
    )
    assert judge_not_called_online(signs).outcome is outcome


def test_a_copy_that_comes_back_as_if_online_is_told_with_what_the_vm_was_seen_in() -> None:
    states = tuple(m(state) for state in ("Saving", "Running", "Saved"))
    signs = replace(ONLINE, log=m(FreezeLog(())), states=states, copy_state=m("Off"))
    told = "the copy comes back Off as after an online backup, though the VM was seen Saved, Saving"
    assert judge_not_called_online(signs).because == told


def test_a_freeze_by_a_service_that_was_stopped_is_an_error() -> None:
    with pytest.raises(EvidenceError):
        judge_not_called_online(ONLINE)


def test_a_production_checkpoint_must_fail_by_itself_and_leave_nothing() -> None:
    own = Attempt(Refusal(RefusedBy.CMDLET, f"OperationFailed,{CHECKPOINT_VM}"), PROOF)
    none: Measured[tuple[str, ...]] = m(())
    assert judge_refused_checkpoint(own, none).outcome is Outcome.PASS
    assert judge_refused_checkpoint(own, m(("left",))).outcome is Outcome.FAIL
    both = judge_refused_checkpoint(own, m(("left", "more")))
    assert both.because.endswith(", but it left left, more")
    assert judge_refused_checkpoint(Attempt(None, PROOF), m(("one",))).outcome is Outcome.FAIL
    with pytest.raises(EvidenceError):
        judge_refused_checkpoint(replace(own, refusal=Refusal(RefusedBy.BINDING, "x")), none)


def entry(message: object, comm: str = "hv_vss_daemon") -> str:
    return json.dumps({"__CURSOR": "s=1;i=2", "_COMM": comm, "MESSAGE": message})


@pytest.mark.parametrize(
    ("messages", "complete"),
    [
        (("VSS: op=FREEZE: succeeded", "VSS: op=THAW: succeeded"), True),
        (("VSS: op=CHECK HOT BACKUP",), False),
        (("VSS: op=FREEZE: failed", "VSS: op=THAW: succeeded"), False),
        (("FREEZE of /boot failed; error:95 Operation not supported",), False),
        (("VSS: freeze of /: Success", "VSS: thaw of /: Success"), True),
        (("VSS cmd is fsfreeze  -f  /", "VSS cmd is fsfreeze  -u  /"), True),
        (("info: guest-fsfreeze called",), False),
        (
            (
                "info: guest-fsfreeze called",
                "info: executing fsfreeze hook with arg 'freeze'",
                "info: executing fsfreeze hook with arg 'thaw'",
            ),
            True,
        ),
        ((list(b"VSS: op=FREEZE: succeeded \xff"), "VSS: op=THAW: succeeded"), True),
    ],
)
def test_every_generation_of_the_services_is_understood(
    messages: tuple[object, ...],
    complete: bool,  # noqa: FBT001
) -> None:
    text = "\n".join(entry(message) for message in messages)
    assert parse_freeze_log(text).complete is complete
    assert freeze_log(("a",), "a cursor").parse(text) == parse_freeze_log(text, "a cursor")


def test_what_systemd_says_about_the_service_is_not_the_services_word() -> None:
    text = entry("VSS: op=FREEZE: succeeded", "systemd") + "\n-- No entries --\n"
    assert parse_freeze_log(text).steps == ()


def test_a_line_that_is_no_entry_and_an_entry_without_words_say_nothing() -> None:
    frozen = entry("VSS: op=FREEZE: succeeded")
    text = f"-- Boot 1c9f --\n{frozen}\n{entry(None)}\n"
    assert parse_freeze_log(text).steps == (Step.FROZE,)
    assert freeze_log(("a",), "s=1;i=2").parse(frozen).steps == ()
    assert freeze_log(("a",), "s=1;i=1").parse(frozen).steps == (Step.FROZE,)


def test_a_cursor_comes_from_the_latest_entry() -> None:
    assert parse_cursor(entry("x")) == "s=1;i=2"
    with pytest.raises(EvidenceError):
        parse_cursor("-- No entries --\n")
    with pytest.raises(EvidenceError):
        parse_cursor("{broken")
    frozen = entry("VSS: op=FREEZE: succeeded")
    assert parse_freeze_log(frozen, "s=1;i=2").steps == ()
    assert parse_freeze_log(frozen, "s=1;i=1").steps == (Step.FROZE,)
    argv = freeze_log(("a", "b"), "s=1;i=2").argv
    assert argv[-5:] == ("--cursor=s=1;i=2", "-u", "a.service", "-u", "b.service")


MOUNTS = """\
SOURCE="/dev/sda2" TARGET="/" FSTYPE="xfs" UUID="aa" OPTIONS="rw,relatime,seclabel"
SOURCE="/dev/sda2" TARGET="/var/lib/x" FSTYPE="xfs" UUID="aa" OPTIONS="rw,relatime"
SOURCE="/dev/sda1" TARGET="/boot" FSTYPE="ext4" UUID="bb" OPTIONS="ro,relatime"
SOURCE="/dev/sdb1[/@home]" TARGET="/home" FSTYPE="btrfs" UUID="cc" OPTIONS="rw,subvol=/@home"
SOURCE="/dev/loop0" TARGET="/mnt/squash" FSTYPE="squashfs" UUID="" OPTIONS="ro"
SOURCE="/dev/sda3" TARGET="/boot/efi" FSTYPE="vfat" UUID="0A0A-0B0B" OPTIONS="rw"
"""


def test_file_systems_that_can_be_written_count_once_each() -> None:
    assert parse_mounts(MOUNTS) == (
        Mounted("/dev/sda2", "/", "xfs", "aa"),
        Mounted("/dev/sdb1", "/home", "btrfs", "cc"),
    )


@pytest.mark.parametrize("text", ["", MOUNTS.splitlines()[2], MOUNTS.replace('"aa"', '""')])
def test_a_guest_without_such_a_file_system_is_an_error(text: str) -> None:
    with pytest.raises(EvidenceError):
        parse_mounts(text)


def test_a_disk_shows_its_partitions() -> None:
    text = """\
NAME="sdb" TYPE="disk" FSTYPE="" UUID=""
NAME="sdb1" TYPE="part" FSTYPE="ext4" UUID="0d8fb3f8-7ee4-408d-8388-7cc64c8e1418"
"""
    assert parse_volumes(text) == (
        Volume("/dev/sdb", "", ""),
        Volume("/dev/sdb1", "ext4", "0d8fb3f8-7ee4-408d-8388-7cc64c8e1418"),
    )
    with pytest.raises(EvidenceError):
        parse_volumes("")


def test_an_uptime_that_is_none_is_an_error() -> None:
    assert parse_uptime("134.76 34.33\n") == 134.76
    with pytest.raises(EvidenceError):
        parse_uptime("")
