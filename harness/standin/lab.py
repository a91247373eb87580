"""The serving process: hosts with their drives and switch, WinRM listeners, and machines."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from harness.errors import LabError
from harness.process import process_started
from harness.standin.balancing import balancing
from harness.standin.cmdlets import HYPERV_CMDLETS
from harness.standin.cmdlets.core import CMDLETS as CORE
from harness.standin.cmdlets.file_moves import CMDLETS as MOVES
from harness.standin.cmdlets.files import CMDLETS as FILES
from harness.standin.cmdlets.system import CMDLETS as SYSTEM
from harness.standin.disks import Disks
from harness.standin.engine import HostEngine
from harness.standin.host import Host
from harness.standin.hostlist import guest_networks
from harness.standin.qemu import QemuMachines
from harness.standin.releases import RELEASES
from harness.standin.seeded.table import plant
from harness.standin.server import Endpoint, WinRM
from harness.standin.share import TEMPLATES, link
from harness.standin.state import (
    USERNAME,
    Daemon,
    HostEntry,
    locked,
    make_folder,
    write_daemon,
)
from harness.standin.tls import make_certificate
from harness.standin.world import Switch

if TYPE_CHECKING:
    from harness.standin.simulated.machines import SimulatedMachines

SWITCH = "LabSwitch"
RECORDING = "recording"
RECORDED = "its guests are recordings"
"""How reports say so, beside what else is wrong with a host."""
BLANK = 64 << 20
FOLDERS = ("C/hvcert/vms", TEMPLATES, "C/Windows/Temp", "E")
Templates = dict[str, Path]


def serve(
    folder: Path,
    entries: tuple[HostEntry, ...],
    templates: Templates,
    simulated: float | None = None,
) -> None:
    """Serve the hosts until SIGTERM or SIGINT; then end every machine and remove the hosts' files.

    ``templates`` are finished images by name. ``simulated``: guests are recordings, and so much of
    a recorded second passes. Raises LabError when an address is taken.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with locked(folder, "serving", wait=False), _folder(folder, entries):
        networks = guest_networks(entries)
        machines = _machines(folder, simulated)
        if simulated is not None:
            templates = {RECORDING: blank(folder / "run" / f"{RECORDING}.vhdx")}
        try:
            hosts = [_host(folder, e, networks[e.name], machines) for e in entries]
            for host in hosts:
                _check_guest_port(host)
                host.seeded += () if simulated is None else (RECORDED,)
                link(templates, host.files)
            with (
                _listening(
                    [_endpoint(folder, e, h) for e, h in zip(entries, hosts, strict=True)]
                ) as server,
                balancing(hosts),
            ):
                _tell(folder, entries, server)
                stop.wait()
        finally:
            machines.close()


@contextmanager
def _folder(folder: Path, entries: tuple[HostEntry, ...]) -> Iterator[None]:
    make_folder(folder)
    try:
        yield
    finally:
        (folder / "daemon.json").unlink(missing_ok=True)
        for name in ("run", "simulated", *(entry.name for entry in entries)):
            shutil.rmtree(folder / name, ignore_errors=True)


@contextmanager
def _listening(endpoints: list[Endpoint]) -> Iterator[WinRM]:
    server = WinRM(endpoints)
    try:
        server.start()
    except OSError as error:
        wanted = ", ".join(f"{e.address} ports {e.http_port} and {e.https_port}" for e in endpoints)
        raise LabError(
            f"cannot listen at {wanted}: {error.strerror or error}; another lab or service is"
            " there: end it, or give --host another address"
        ) from error
    try:
        yield server
    finally:
        server.close()


def _tell(folder: Path, entries: tuple[HostEntry, ...], server: WinRM) -> None:
    """Write down where the hosts listen: from now on the lab is up."""
    bound = tuple(
        replace(entry, http_port=ports.http or 0, https_port=ports.https or 0)
        for entry in entries
        for ports in (server.ports[entry.name],)
    )
    write_daemon(folder, Daemon(os.getpid(), process_started(os.getpid()), bound))


def _machines(folder: Path, simulated: float | None) -> QemuMachines | SimulatedMachines:
    if simulated is None:
        return QemuMachines(folder / "run")
    try:
        from harness.standin.simulated.machines import SimulatedMachines
    except ImportError as missing:
        said = f"simulated guests need {missing.name}: python -m pip install 'hvcert[dev]'"
        raise LabError(said) from missing
    return SimulatedMachines(folder.absolute() / "simulated", simulated)


def blank(path: Path) -> Path:
    """Make the disk of guests that are recordings: nothing ever reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Disks().create(path, size=BLANK)
    return path


def _host(
    folder: Path, entry: HostEntry, network: str, machines: QemuMachines | SimulatedMachines
) -> Host:
    """Make a host with empty drives C: and E: (a place for backups) and one switch."""
    files = folder.absolute() / entry.name / "files"
    for name in FOLDERS:
        (files / name).mkdir(parents=True, exist_ok=True)
    host = Host(
        name=entry.name,
        release=RELEASES[entry.windows],
        files=files,
        machines=machines,
        guest_network=network,
        logs=folder.absolute() / entry.name / "logs",
    )
    switch = Switch(uuid4(), SWITCH, "Internal")
    host.world.switches[switch.id] = switch
    plant(host, entry.faults)
    return host


def _check_guest_port(host: Host) -> None:
    """Raise LabError when guests could not have port 22 of addresses of their own."""
    address = f"{host.guest_network}2"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, 22))
            probe.listen()
        except PermissionError as error:
            raise LabError(
                f"guests answer at port 22 of {address} and up, which this user may not open;"
                " run: sudo sysctl net.ipv4.ip_unprivileged_port_start=22"
            ) from error
        except OSError as error:
            raise LabError(
                f"guests answer at port 22 of {address} and up, where something listens already:"
                " end the other lab, or bind this machine's SSH server to its own addresses"
                " (ListenAddress in sshd_config)"
            ) from error


def _endpoint(folder: Path, entry: HostEntry, host: Host) -> Endpoint:
    home = folder / entry.name
    password = secrets.token_urlsafe(18)
    secret = home / "password"
    secret.touch(mode=0o600)
    secret.write_text(password + "\n")
    certificate, key = make_certificate(home, entry.name, entry.address)
    shutil.copyfile(certificate, home / "ca.pem")
    return Endpoint(
        name=entry.name,
        address=entry.address,
        engine=HostEngine(host, (*HYPERV_CMDLETS, *CORE, *FILES, *MOVES, *SYSTEM)),
        users={USERNAME: password},
        http_port=entry.http_port,
        https_port=entry.https_port,
        certificate=certificate,
        key=key,
        release=host.release,
        between=host.wire,
    )
