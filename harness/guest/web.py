"""A web server in one guest and a load on it from another: units of the guests' own systemd."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import timedelta

from harness.checks.apache_bench import Load, parse_load
from harness.distro import Family
from harness.distro.tools import install_command
from harness.errors import EvidenceError, GuestLacksTool
from harness.evidence import Evidence, Measured, Probe
from harness.guest.files import run_or_fail, write_file
from harness.guest.measure import measure
from harness.guest.scripts import text_of
from harness.guest.shell import GuestShell
from harness.guest.tools import require
from harness.units import Bytes

FOLDER = "/run/hvcert-web"
PORT = 8080
SWAP = "/hvcert-swap"
SERVER, LOAD = "hvcert-web.service", "hvcert-web-load"
CLIENT = "ab"
MOST = 1_000_000
"""Requests of one load at most: ab keeps a record of each."""


def equip(shell: GuestShell, family: Family, swap: Bytes) -> tuple[Evidence, ...]:
    """Give a guest that has just booted the web server's files, and swap of that size.

    Raises GuestLacksTool where Apache or its mod_lua is missing.
    """
    has = require(shell, family, family.web.program)
    lua = f"{family.web.modules}/mod_lua.so"
    found = measure(shell, Probe(("ls", "-dL", "--", lua), str, fails_ok=True))
    if not found.value:
        packages = family.web.packages
        missing = (("mod_lua.so", " ".join(packages)),)
        raise GuestLacksTool(shell.name, missing, install_command(family, packages))
    made = (
        ("install", "-m", "600", "/dev/null", SWAP),
        ("fallocate", "-l", str(swap.count), SWAP),
        ("mkswap", SWAP),
        ("swapon", SWAP),
    )
    written = (write_file(shell, f"{FOLDER}/{f}", text_of(f)) for f in ("web.conf", "web.lua"))
    return (
        *has,
        *found.evidence,
        *(run_or_fail(shell, argv) for argv in made),
        *(piece for pieces in written for piece in pieces),
    )


def start_server(shell: GuestShell, family: Family, workers: int) -> Evidence:
    """Start the web server anew with so many processes, which hold nothing yet."""
    end_server(shell)
    defined = (f"HVCERT_MODULES {family.web.modules}", f"HVCERT_WORKERS {workers}")
    given = tuple(word for name in defined for word in ("-C", f"Define {name}"))
    start = ("systemd-run", "--quiet", "--collect", f"--unit={SERVER}")
    apache = (family.web.program, *given, "-f", f"{FOLDER}/web.conf", "-DFOREGROUND")
    return run_or_fail(shell, (*start, *apache))


def end_server(shell: GuestShell) -> None:
    """Kill the web server and wait until its memory is given back; harmless where none runs.

    A server that is asked to end finishes its answers first, and reads back from swap all that
    these touch: the guest is slow for minutes, too slow to shut down within a host's patience.
    """
    for what in (("kill", "--signal=SIGKILL"), ("stop",)):
        shell.run(("systemctl", *what, SERVER), privileged=True, within=timedelta(minutes=3))


@dataclass(slots=True)
class Client:
    """Makes loads on one URL, one at a time; ``loads`` counts them."""

    shell: GuestShell
    url: str
    loads: int = 0

    def one_request(self) -> Measured[Load]:
        """Ask for one answer; that ab gave up is an answer, too."""
        argv = (CLIENT, "-q", "-s", "30", "-n", "1", "-c", "1", self.url)
        done = self.shell.run(argv)
        text = f"{done.stdout}{done.stderr}"
        said = Evidence(shlex.join(argv), text, f"guest {self.shell.name}")
        return Measured(parse_load(text), (said,))

    def begin(self, clients: int, long: timedelta, silent: timedelta) -> None:
        """Let so many clients ask all the time; ab gives up when nobody is answered for ``silent``.

        ``-n`` comes after ``-t``, which would set it to 50000.
        """
        self.loads += 1
        start = ("systemd-run", "--quiet", "--collect", f"--unit={self._unit}")
        kept = f"--property=StandardOutput=file:{self._output}"
        times = ("-s", f"{silent.total_seconds():.0f}", "-t", f"{long.total_seconds():.0f}")
        ask = (CLIENT, "-q", "-r", *times, "-n", str(MOST), "-c", str(clients), self.url)
        run_or_fail(self.shell, (*start, kept, "--property=StandardError=inherit", *ask))

    def stop(self) -> None:
        """End the load; harmless when it has ended."""
        self.shell.run(("systemctl", "stop", self._unit), privileged=True)

    def ended(self) -> bool:
        """Tell whether the load has come to its end."""
        argv = ("systemctl", "show", "--property=ActiveState", self._unit)
        return measure(self.shell, Probe(argv, _inactive)).value

    def read(self) -> Measured[Load]:
        """Return what the load, which has ended, has said."""
        return measure(self.shell, Probe(("cat", "--", self._output), parse_load, privileged=True))

    @property
    def _unit(self) -> str:
        return f"{LOAD}-{self.loads}.service"

    @property
    def _output(self) -> str:
        return f"/run/{LOAD}-{self.loads}"


def _inactive(text: str) -> bool:
    found = re.search(r"^ActiveState=(\S+)", text, re.MULTILINE)
    if not found:
        raise EvidenceError("systemctl show", "ActiveState", text)
    return found[1] in {"inactive", "failed"}
