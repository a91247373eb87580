"""Files for a guest, kept whole in this package and never composed: a script, a small image."""

from __future__ import annotations

from importlib.resources import files


def text_of(name: str) -> str:
    """Return a script's text verbatim, e.g. of ``writer.sh``."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def bytes_of(name: str) -> bytes:
    """Return a file's bytes: ``unfreezable.squashfs``, an image with one small file in it."""
    return files(__name__).joinpath(name).read_bytes()
