"""Brings the embedded lab up and down, as a program of its own: the harness imports none of it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from harness.errors import LabError
from harness.inventory.model import Inventory, LabHost, Template
from harness.process import process_started

IMAGE = re.compile(r"C:\\hvcert\\templates\\(debian-\d+)\.vhdx", re.IGNORECASE)
"""The path at which a stand-in host has an image of the lab's own; other templates are staged."""

PROGRAM = (sys.executable, "-m", "harness.standin")


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that uses a lab that runs brought up; ``started`` tells a reused pid apart."""

    pid: int
    started: str

    def alive(self) -> bool:
        """Return whether that very process still runs."""
        return process_started(self.pid) == self.started


def state_folder() -> Path:
    """Return where the lab keeps its state: ``$HVCERT_LAB_DIR`` or the user's state folder."""
    return Path(os.environ.get("HVCERT_LAB_DIR") or "~/.local/state/hvcert/lab").expanduser()


def call(*arguments: str) -> str:
    """Run the lab's program to its end; its one sentence becomes the error."""
    done = subprocess.run((*PROGRAM, *arguments), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
        sentence = f"embedded lab, {arguments[0]}: {said[-1]}"
        raise LabError(sentence)
    return done.stdout


def hosts_up() -> dict[str, tuple[str, ...]]:
    """Return the names of the stand-in hosts that are up, each with the faults seeded in it."""
    entries = json.loads(call("status", "--json"))
    return {entry["name"]: tuple(entry.get("faults", ())) for entry in entries}


@contextmanager
def embedded(hosts: tuple[LabHost, ...], images: tuple[str, ...] = ()) -> Iterator[None]:
    """Have these stand-in hosts up inside the block, with these guest images as templates.

    A lab that is up gets the templates that it lacks. One that somebody brought up by hand stays
    up. One that runs brought up is taken down when the last of them ends; what dead runs left
    behind is taken down first.
    """
    if not hosts:
        yield
        return
    _ensure(hosts, images)
    try:
        yield
    finally:
        _leave()


def images(inventory: Inventory) -> tuple[str, ...]:
    """Return the guest images of the lab's own that the inventory's guests are made from."""
    ours = {host.name for host in inventory.lab}
    sources = (guest.source for guest in inventory.guests if ours & set(guest.hosts))
    paths = (source.path for source in sources if isinstance(source, Template))
    names = (found[1] for path in paths if (found := IMAGE.fullmatch(path)))
    return tuple(dict.fromkeys(names))


def _ensure(hosts: tuple[LabHost, ...], images: tuple[str, ...]) -> None:
    """Bring the lab up if need be; several runs may use it, the last of them takes it down."""
    with _locked() as users:
        up, there = hosts_up(), _users(users)
        if up and there and not any(user.alive() for user in there):
            call("down")  # killed runs left it: its machines end with it, nothing is reused
            up, there = {}, []
        wanted = tuple(f"--image={name}" for name in images)
        if up:
            _check_hosts(up, hosts)
            if wanted:
                call("share", *wanted)
        else:
            faults = (f"--fault={host.name}/{fault}" for host in hosts for fault in host.faults)
            call(
                "up",
                *(f"--host={h.name}:{h.windows}:{h.address}" for h in hosts),
                *faults,
                *wanted,
                *(f"--simulated={share}" for share in {h.simulated for h in hosts} - {None}),
            )
        if there or not up:  # else somebody brought it up by hand, and takes it down
            me = Owner(os.getpid(), process_started(os.getpid()))
            _write(users, [*(user for user in there if user.alive()), me])


def _leave() -> None:
    """Take the lab down, unless another run uses it or somebody brought it up by hand."""
    with _locked() as users:
        there = _users(users)
        left = [user for user in there if user.alive() and user.pid != os.getpid()]
        if there:
            _write(users, left)
        if there and not left:
            call("down")


@contextmanager
def _locked() -> Iterator[Path]:
    """Let no other process change who uses the lab inside the block; yield the file of users."""
    folder = state_folder().parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / "lab.users"


def _users(path: Path) -> list[Owner]:
    try:
        return [Owner(**user) for user in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError):
        return []


def _write(path: Path, users: list[Owner]) -> None:
    if users:
        path.write_text(json.dumps([asdict(user) for user in users]))
    else:
        path.unlink(missing_ok=True)


def _check_hosts(up: dict[str, tuple[str, ...]], wanted: tuple[LabHost, ...]) -> None:
    missing = [host.name for host in wanted if host.name not in up]
    if missing:
        sentence = (
            f"the embedded lab is up with {', '.join(up)}, but the inventory needs"
            f" {', '.join(missing)}; run `hvcert lab down` (or wait for the run that uses it)"
        )
        raise LabError(sentence)
    for host in wanted:
        if host.faults and set(host.faults) != set(up[host.name]):
            there = ", ".join(up[host.name]) or "none"
            sentence = (
                f"the embedded lab is up and the faults seeded in {host.name} are: {there}; the run"
                f" asks for {', '.join(host.faults)}; run `hvcert lab down` first"
            )
            raise LabError(sentence)


def with_faults(inventory: Inventory, faults: tuple[str, ...]) -> Inventory:
    """Return the inventory with these faults seeded in every host of its lab, too."""
    if faults and not inventory.lab:
        sentence = (
            f"{inventory.path} has no lab, and a fault can be seeded in the stand-in alone;"
            " leave --fault out, or use inventories/embedded.yaml"
        )
        raise LabError(sentence)
    hosts = (replace(h, faults=(*h.faults, *faults)) for h in inventory.lab)
    return replace(inventory, lab=tuple(hosts))
