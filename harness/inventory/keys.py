"""The guest's pinned SSH host key, read when it is needed."""

from __future__ import annotations

from harness.errors import CredentialError
from harness.inventory.model import KeyFile, PinnedKey
from harness.inventory.values import parse_public_key

MAXIMUM = 16 << 10
COPY_IT = "copy the guest's /etc/ssh/ssh_host_ed25519_key.pub there"


def pinned(host_key: PinnedKey | KeyFile) -> PinnedKey:
    """Return the pinned key; raise CredentialError when its file is not there or holds none.

    The embedded lab makes its file together with the guest image, so it may be missing when the
    inventory is read and there when the guest is logged in to.
    """
    if isinstance(host_key, PinnedKey):
        return host_key
    where = f"SSH host key {host_key.path}"
    try:
        with host_key.path.open("rb") as file:
            text = file.read(MAXIMUM).decode("ascii", "replace")
    except OSError as error:
        advice = f"{COPY_IT}; for the embedded lab: hvcert lab up makes it"
        raise CredentialError(where, f"cannot be read ({error.strerror})", advice) from None
    try:
        return parse_public_key(text)
    except ValueError as error:
        raise CredentialError(where, str(error), COPY_IT) from None
