"""Where images are kept, and by which name: a hash of everything that goes into one."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from harness.standin.image.records import Image

RECIPE = Path(__file__).parent
INPUTS = ("packages.txt", "masked-units.txt", "scripts", "tree")
LAYOUT = 1  # raise it when build.py makes another disk of the same inputs


def cache_root() -> Path:
    """Return the cache folder: HVCERT_CACHE, or ~/.cache/hvcert."""
    return Path(os.environ.get("HVCERT_CACHE") or "~/.cache/hvcert").expanduser().absolute()


def _inputs() -> Iterator[tuple[str, bytes]]:
    for name in INPUTS:
        top = RECIPE / name
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file():
                yield file.relative_to(RECIPE).as_posix(), file.read_bytes()


def fingerprint(image: Image, public_keys: tuple[str, ...]) -> str:
    """Return 12 hex digits that change with the record, any file of the recipe, or a key."""
    digest = hashlib.sha256(json.dumps([LAYOUT, asdict(image), public_keys]).encode())
    for name, content in _inputs():
        digest.update(f"\n{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def image_path(image: Image, public_keys: tuple[str, ...]) -> Path:
    """Return where the finished image is, or would be."""
    return cache_root() / "images" / f"{image.name}-{fingerprint(image, public_keys)}.qcow2"


@contextmanager
def building(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of one image: a second builder waits, then finds the finished file.

    Images of other inputs have locks of their own, so nobody waits for what he does not need.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is building {path.stem}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
