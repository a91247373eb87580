"""Asks a host everything, and makes of the answers a file that says nothing about its owner."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from harness import __version__, lab
from harness.contract.exercise import Place, Step, steps
from harness.contract.shape import Shape, shape_of
from harness.errors import HostError, HostRefused, InventoryError, ResultsError
from harness.host.command import Cmdlet
from harness.host.facts import measure_host, release_of
from harness.host.lease import leased
from harness.host.lifecycle import mark_of, remove, vm_name
from harness.host.sweep import sweep
from harness.host.tap import TappedSession
from harness.inventory.credentials import resolve
from harness.inventory.load import load
from harness.inventory.model import Host, Inventory
from harness.report.result import new_name

SCHEMA = "hvcert-contract/1"
WITHIN = timedelta(minutes=5)
TOO_SHORT_TO_TELL = 4


def record(inventory: Path, name: str, out: Path) -> str:
    """Record a host of an inventory into a file; return a sentence about it.

    ``name`` "": the inventory's first host. Raises what opening the host raises.
    """
    asked = load(inventory)
    host = _chosen(asked, name)
    password = resolve(host.password) if host.password else None
    with lab.embedded(asked.lab), TappedSession(host, password) as session:
        found = record_host(session, host, asked)
    try:
        out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as wrong:
        raise ResultsError(f"{out}: {wrong.strerror}") from wrong
    return f"{out}: {len(_answers(found))} answers of a Windows Server {found['windows']}"


def record_host(session: TappedSession, host: Host, inventory: Inventory) -> dict[str, object]:
    """Return the recording of one host, taken under its lease; nothing of it stays there."""
    run = new_name()
    with leased(session, host, run):
        sweep(session, host, inventory, run=run)
        facts = measure_host(session).value
        vm = vm_name(run, "contract")
        place = Place(vm, f"{host.vm_path}\\{vm}", host.switch)
        try:
            answers = [_answer(session, s, run) for s in steps(place, facts.build)]
        finally:
            remove(session, place.vm, place.folder)
    found: dict[str, object] = {
        "schema": SCHEMA,
        "windows": release_of(facts.build).replace(" R", "r"),
        "build": facts.build,
        "hvcert": __version__,
        "answers": answers,
    }
    _say_nothing_private(found, host, (facts.name, place.vm, place.folder, place.switch))
    return found


def _chosen(inventory: Inventory, name: str) -> Host:
    known = {host.name: host for host in inventory.hosts}
    if name and name not in known:
        problem = f"hosts: there is no {name} (there is {', '.join(known)})"
        raise InventoryError(str(inventory.path), (problem,))
    return known[name] if name else inventory.hosts[0]


def _answer(session: TappedSession, step: Step, run: str) -> dict[str, object]:
    del session.heard[:]
    refused: Mapping[str, str] | None = None
    try:
        session.run(step.call, within=WITHIN)
    except HostRefused as refusal:
        facts = refusal.record
        refused = {"id": facts.fqid, "category": facts.category, "exception": facts.exception_type}
    shapes: list[Shape] = []
    for clixml in session.heard:
        shape = shape_of(clixml, numbers=step.ours)
        if shape not in shapes:
            shapes.append(shape)
    if step.call.name == "New-VM" and refused is None:
        _mark(session, step.call, run)
    return {
        "step": step.name,
        "cmdlet": step.call.name,
        "parameters": list(step.call.parameters),
        "objects": shapes,
        "refused": refused,
    }


def _mark(session: TappedSession, made: Cmdlet, run: str) -> None:
    """Mark the VM, so that a later run removes it if this one is killed."""
    given = {"Name": made.parameters["Name"], "Notes": mark_of(run)}
    session.run(Cmdlet("Set-VM", {"Name": given["Name"], "Notes": given["Notes"]}))


def _answers(found: Mapping[str, object]) -> list[object]:
    answers = found["answers"]
    return answers if isinstance(answers, list) else []


def _say_nothing_private(found: Mapping[str, object], host: Host, names: tuple[str, ...]) -> None:
    """Raise HostError if a name of the lab is in the recording after all."""
    private = {host.address, host.username or "", host.vm_path, *names}
    held = {text.lower() for text in _texts(found["answers"])}
    for name in private:
        if len(name) >= TOO_SHORT_TO_TELL and any(name.lower() in text for text in held):
            what = "a name of the lab is in what it answered; nothing was written"
            raise HostError(host.name, what, "report this: the recording must leave such out")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def read(path: Path) -> dict[str, object]:
    """Read a recording; ResultsError for a file that is none."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and found.get("schema") == SCHEMA:
            return found
    raise ResultsError(f"{path} is no recording of `hvcert contract record`")
