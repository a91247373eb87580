"""The writer's own script, run for real, and what is asked of a guest to start and stop it."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

from harness.checks.filesystems import Mounted
from harness.checks.records import parse_acknowledged, parse_records
from harness.deadline import wait_for
from harness.guest.scripts import bytes_of, text_of
from harness.guest.writer import acknowledged, records_of, start_writers, stop_writers
from tests.guest.answering import AnsweringGuest

ROOT = Mounted("/dev/sda1", "/", "ext4", "aa")
DATA = Mounted("/dev/sdb", "/mnt/data", "xfs", "bb")


def test_the_script_writes_what_the_readers_read(tmp_path: Path) -> None:
    script, records, acks = (tmp_path / name for name in ("writer.sh", "records", "acks"))
    script.write_text(text_of("writer.sh"))
    writer = subprocess.Popen(["/bin/sh", script, records, acks])
    try:
        wait_for(
            "three records",
            lambda: (acks.exists() and len(acks.read_text().splitlines()) >= 3) or None,
            timedelta(seconds=60),
            every=timedelta(milliseconds=50),
        )
    finally:
        writer.kill()
        writer.wait()
    found = parse_records(records.read_text())
    assert (found.broken, found.last >= 3) == ("", True)
    assert found.last - parse_acknowledged(acks.read_text()).last in (0, 1)


def test_each_file_system_has_a_writer_of_its_own_that_is_stopped_again() -> None:
    guest = AnsweringGuest({"cat": "1 5.00\n2 5.50\n"})
    start_writers(guest, (ROOT, DATA))
    stop_writers(guest, (ROOT, DATA))
    started = [line for line in guest.asked if line.startswith("systemd-run")]
    assert [line.split()[-2] for line in started] == [records_of("/"), records_of("/mnt/data")]
    assert guest.asked[-1] == "systemctl stop hvcert-writer-0.service hvcert-writer-1.service"
    assert acknowledged(guest, 1).value.last == 2
    assert guest.asked[-1] == "cat /run/hvcert-writer/acknowledged-1"


def test_the_image_that_cannot_be_frozen_is_a_squashfs() -> None:
    assert bytes_of("unfreezable.squashfs").startswith(b"hsqs")
