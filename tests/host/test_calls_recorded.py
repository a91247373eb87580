"""No call was ever made on a host that the binding tests had not read out of the source.

Reading the source could miss a way in which a call is written; recordings of real runs cannot.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.host.scripts import REASONS
from tests.host.test_calls_bind import CALLS

MATRIX = Path(__file__).parents[1] / "recorded" / "matrix"
READ = {
    (call.cmdlet, frozenset(name.lower() for name, _ in call.parameters))
    for call in CALLS
    if not call.where.endswith(".ps1")
}
SCRIPT = re.compile(r"\.\\(?P<name>[\w-]+)\.ps1(?: |$)")


def asked_in(path: Path) -> Iterator[str]:
    """Yield the host calls of a kept run, as evidence shows them."""
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member) if "recordings/" in member.name else None
            for line in content or ():
                entry = json.loads(line)
                if entry.get("kind") == "host":
                    yield str(entry["asked"])


def unread(asked: str) -> list[str]:
    """Return what of a call the binding tests do not know."""
    bare = re.sub(r"'(?:[^']|'')*'|@\{.*?\}|@\(.*?\)|\(\[.*?\)\)?", "x", asked, flags=re.DOTALL)
    found: list[str] = []
    for part in bare.split(" | "):
        if script := SCRIPT.match(part):
            found += [] if script["name"] in REASONS else [part]
            continue
        name, _, rest = part.partition(" ")
        given = frozenset(p.lower() for p in re.findall(r"(?<!\S)-([A-Za-z]+)(?=[ :]|$)", rest))
        found += [] if (name, given) in READ else [part]
    return found


@pytest.mark.parametrize("path", sorted(MATRIX.glob("*.tar.xz")), ids=lambda path: path.name)
def test_every_recorded_call_is_one_that_was_bound(path: Path) -> None:
    asked = {call: unread(call) for call in asked_in(path)}
    assert asked
    assert {call: parts for call, parts in asked.items() if parts} == {}


@pytest.mark.parametrize(
    "asked",
    [
        "Get-VMs -Name 'a'",
        "Get-VM -Id 'a'",
        "Stop-VM -Name 'a -Force b' -TurnOff:$true",
        ".\\unlisted.ps1 -A 'b'",
        "Get-VM -Name 'a' | Dismount-VHD",
    ],
)
def test_a_call_that_nobody_bound_is_found(asked: str) -> None:
    assert unread(asked)


@pytest.mark.parametrize(
    "asked",
    [
        "Get-VM -Name 'a -Id b'",
        "Get-VM",
        "Stop-VM -Name 'o''neil' -TurnOff:$true -Force:$true",
        ".\\write-bytes.ps1 -Path 'a' -Data ([byte[]](1, 2))",
    ],
)
def test_a_call_that_was_bound_is_known(asked: str) -> None:
    assert unread(asked) == []
