"""Puts a disk image on a host as a read-only template, over the session that everything uses.

The file is written piece by piece beside its place, its hash is compared on the host, and only then
it gets its name; what goes wrong leaves no half-copied file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from harness.errors import HarnessError, HostError
from harness.host.command import Cmdlet, FixedScript, Value
from harness.host.session import HostSession
from harness.units import Bytes, MiB

PIECE = 2 * MiB
"""One call's worth: a host takes it in some hundred fragments."""

HASH_WITHIN = timedelta(minutes=30)
UNTIL_MOVED = ".part"
Progress = Callable[[Bytes, Bytes], None]
"""Called with what was copied and what there is to copy."""


def stage(
    session: HostSession,
    image: Path,
    target: str,
    note: Mapping[str, int | str],
    progress: Progress,
) -> str:
    """Copy a VHDX to ``target`` on the host; return its SHA-256.

    ``note`` is written with it into a file beside it: the generation of VM that boots it, and the
    like. Raises HostError when something is there already, or when what arrived is not what was
    sent.
    """
    beside, part = f"{target}.json", target + UNTIL_MOVED
    for path in (target, beside):
        if _there(session, path):
            advice = "remove it there, or give another --name"
            raise HostError(session.name, f"{path} exists already", advice)
    folder = target.rpartition("\\")[0]
    _do(session, "New-Item", Path=folder, ItemType="Directory", Force=True)
    try:
        digest = _copy(session, image, part, progress)
        _compare(session, part, digest)
        _do(session, "Move-Item", Path=part, Destination=target)
    except BaseException:
        _discard(session, part)
        raise
    _do(session, "Set-ItemProperty", Path=target, Name="IsReadOnly", Value=True)
    said = json.dumps({**note, "sha256": digest})
    _do(session, "New-Item", Path=beside, ItemType="File", Value=said)
    return digest


def _copy(session: HostSession, image: Path, part: str, progress: Progress) -> str:
    """Write the file in pieces; a part that an earlier, dead run left is replaced."""
    _discard(session, part)
    size, done, sha = Bytes(image.stat().st_size), Bytes(0), hashlib.sha256()
    with image.open("rb") as file:
        while piece := file.read(PIECE.count):
            sha.update(piece)
            given: dict[str, Value] = {"Path": part, "Offset": done, "Data": piece}
            session.run(FixedScript("write-bytes", given), within=timedelta(minutes=5))
            done += Bytes(len(piece))
            progress(done, size)
    return sha.hexdigest()


def _compare(session: HostSession, part: str, digest: str) -> None:
    ask = Cmdlet("Get-FileHash", {"Path": part, "Algorithm": "SHA256"}, safe_to_repeat=True)
    arrived = session.run(ask, within=HASH_WITHIN).one().string("Hash")
    if arrived.lower() != digest:
        what = f"{part} has the hash {arrived.lower()}, not {digest}: it was changed on its way"
        raise HostError(session.name, what, "stage it again; look at the host's disk")


def _discard(session: HostSession, part: str) -> None:
    with suppress(HarnessError):
        if _there(session, part):
            _do(session, "Remove-Item", Path=part, Force=True)


def _there(session: HostSession, path: str) -> bool:
    ask = Cmdlet("Test-Path", {"Path": path}, safe_to_repeat=True)
    return session.run(ask).objects == (True,)


def _do(session: HostSession, name: str, **given: str | bool) -> None:
    session.run(Cmdlet(name, given), within=timedelta(minutes=5))
