"""The writer in a guest: a unit of its own, so that it outlives the session that started it."""

from __future__ import annotations

from datetime import timedelta

from harness.checks.filesystems import Mounted
from harness.checks.records import Acknowledged, parse_acknowledged
from harness.evidence import Evidence, Measured, Probe
from harness.guest.files import run_or_fail, write_file
from harness.guest.measure import measure
from harness.guest.scripts import text_of
from harness.guest.shell import GuestShell

MEMORY = "/run/hvcert-writer"
"""Where script and acknowledgements lie: a file system in memory, which nothing freezes."""

FOLDER = "hvcert-writer"
"""The folder of the records at the top of each file system."""

STOP_WITHIN = timedelta(minutes=2)


def records_of(mount: str) -> str:
    """Return the file of records on a file system that is mounted there."""
    return f"{mount.rstrip('/')}/{FOLDER}/records"


def start_writers(shell: GuestShell, places: tuple[Mounted, ...]) -> tuple[Evidence, ...]:
    """Start one writer per file system; raise CommandFailed where systemd-run is missing."""
    script = f"{MEMORY}/writer.sh"
    done = [*write_file(shell, script, text_of("writer.sh"))]
    for number, place in enumerate(places):
        records = records_of(place.target)
        done.append(run_or_fail(shell, ("mkdir", "-p", "--", records.rpartition("/")[0])))
        start = ("systemd-run", f"--unit={_unit(number)}", "/bin/sh", script, records)
        done.append(run_or_fail(shell, (*start, _acknowledged(number))))
    return tuple(done)


def stop_writers(shell: GuestShell, places: tuple[Mounted, ...]) -> None:
    """Stop the writers; what they wrote stays."""
    units = tuple(f"{_unit(number)}.service" for number in range(len(places)))
    shell.run(("systemctl", "stop", *units), privileged=True, within=STOP_WITHIN)


def acknowledged(shell: GuestShell, number: int) -> Measured[Acknowledged]:
    """Return what the writer on that file system (0 is the first) has acknowledged by now."""
    argv = ("cat", _acknowledged(number))
    return measure(shell, Probe(argv, parse_acknowledged, privileged=True))


def _acknowledged(number: int) -> str:
    return f"{MEMORY}/acknowledged-{number}"


def _unit(number: int) -> str:
    return f"hvcert-writer-{number}"
