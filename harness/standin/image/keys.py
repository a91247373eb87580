"""The lab's SSH keys: made once, baked into every image, known to the harness by path."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from harness.standin.image.cache import cache_root

NAMES = ("id_ed25519", "ssh_host_ed25519_key")


@dataclass(frozen=True, slots=True)
class Keys:
    """The folder of the user's and the guests' key pair; ``public`` are the two .pub texts."""

    folder: Path
    public: tuple[str, ...]


def _write(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    fresh.replace(path)


def _make(folder: Path, name: str) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    _write(folder / f"{name}.pub", public + b" hvcert lab\n", 0o644)
    _write(folder / name, private, 0o600)


def lab_keys() -> Keys:
    """Return the lab's keys; the first call makes them, and a half-made pair is made anew."""
    folder = cache_root() / "guest"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in NAMES:
            if not (folder / name).exists():
                _make(folder, name)
    return Keys(folder, tuple((folder / f"{name}.pub").read_text().strip() for name in NAMES))
