"""Is it the guest that answers? Its SSH host key against what the inventory says. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib

from harness.errors import GuestKeyRefused
from harness.inventory.model import AnyKey, PinnedKey


def accept(shown: PinnedKey, wanted: PinnedKey | AnyKey, guest: str, place: str) -> str:
    """Return why the key was accepted, for the record; raise GuestKeyRefused when it is not."""
    came = fingerprint(shown)
    if isinstance(wanted, AnyKey):
        return f"host key {came}, accepted at first sight: {wanted.reason}"
    if shown == wanted:
        return f"host key {came}, as pinned"
    what = f"{place} showed the host key {came}, pinned is {fingerprint(wanted)}"
    advice = "if the guest was made anew, pin its new key; else find out who answers there"
    raise GuestKeyRefused(guest, what, advice)


def fingerprint(key: PinnedKey) -> str:
    """Return ``ssh-ed25519 SHA256:…`` as ssh-keygen prints it; never the key."""
    try:
        digest = hashlib.sha256(base64.b64decode(key.base64, validate=True)).digest()
    except binascii.Error:
        return f"{key.key_type} (not base64)"
    return f"{key.key_type} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
