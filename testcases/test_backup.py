"""Live backup: what was on disk is in the copy, and its file systems are consistent."""

from __future__ import annotations

import pytest

from harness import backup, recovery
from harness.bench import Bench, Certify
from harness.checks.backup import judge_backup, judge_not_called_online, judge_online
from harness.host import copies

pytestmark = [pytest.mark.feature("Live backup"), pytest.mark.own_disk]
CHECKPOINT = "hvcert production"


@pytest.mark.case("BAK-02")
def test_a_production_checkpoint_holds_what_was_on_disk(bench: Bench, certify: Certify) -> None:
    backup.needs_production_checkpoints(bench)
    copies.set_production_only(bench.vm)
    guest = bench.boot()
    with backup.writing(bench, guest) as seen:
        with seen.watched():
            bench.vm.checkpoint(CHECKPOINT)
            seen.poll()
        signs = seen.signs(copies.checkpoint_state(bench.vm, CHECKPOINT))
        disks = copies.export_checkpoint(bench.vm, CHECKPOINT, bench.folder("export"))
    copy = seen.judge_copy(backup.inspected(bench, guest, disks, seen.places))
    certify(judge_backup(copy.because, judge_online(signs), copy))


@pytest.mark.needs(backup_disk=True)
@pytest.mark.case("BAK-01")
def test_a_backup_of_a_running_vm_holds_what_was_on_disk(bench: Bench, certify: Certify) -> None:
    volume = recovery.needs_server_backup(bench)
    certify(recovery.judge_backup_and_restore(bench, bench.boot(), volume))


@pytest.mark.long
@pytest.mark.needs(backup_disk=True)
@pytest.mark.case("BAK-04")
def test_two_disks_are_backed_up_beside_a_mount_that_cannot_be_frozen(
    bench: Bench, certify: Certify
) -> None:
    volume = recovery.needs_server_backup(bench)
    guest = bench.boot()
    recovery.mount_more(bench, guest)
    certify(recovery.judge_backup_and_restore(bench, guest, volume))


@pytest.mark.case("BAK-03", parameters=("production checkpoint", "Windows Server Backup"))
def test_what_nobody_froze_is_not_called_online(bench: Bench, certify: Certify) -> None:
    volume = recovery.needs_server_backup(bench)
    if backup.has_production_checkpoints(bench):
        copies.set_production_only(bench.vm)
    guest = bench.boot()
    with recovery.backup_turn(bench):
        with backup.freeze_service_stopped(guest):
            certify(backup.judge_refused_production(bench), "production checkpoint")
            with backup.writing(bench, guest) as seen, seen.watched(expect_freeze=False):
                version = recovery.backed_up(bench, volume, seen.poll)
        bench.stop()
        state = recovery.restored(bench, volume, version)
    certify(judge_not_called_online(seen.signs(state)), "Windows Server Backup")
