"""The ``ssh`` part of a guest."""

from __future__ import annotations

from harness.inventory.model import AnyKey, Become, KeyFile, PinnedKey, Ssh
from harness.inventory.section import Section
from harness.inventory.values import parse_public_key

HOST_KEY_FORMS = (
    "write the guest's public key (ssh-ed25519 AAAA...), {file: PATH.pub}, or "
    "{policy: accept-new, reason: WHY}"
)


def read_ssh(guest: Section) -> Ssh:
    """Read how to log in to a guest."""
    section = guest.section("ssh")
    if section is None:
        return Ssh("", guest.folder, AnyKey(""), Become.NONE)
    read = Ssh(
        user=section.text("user"),
        key=section.local_path("key"),
        host_key=_host_key(section),
        become=section.choice("become", Become, Become.NONE),
    )
    section.only("user", "key", "host_key", "become")
    return read


def _host_key(section: Section) -> PinnedKey | KeyFile | AnyKey:
    value = section.values.get("host_key")
    if not isinstance(value, dict):
        if section.has("host_key") and not isinstance(value, str):
            section.problem("host_key", HOST_KEY_FORMS)
        elif not section.has("host_key"):
            section.problem("host_key", f"missing; {HOST_KEY_FORMS}")
        else:
            return section.parsed("host_key", parse_public_key, PinnedKey("", ""))
        return AnyKey("")
    inner = section.section("host_key")
    if inner is None:
        return AnyKey("")
    if inner.has("file"):
        inner.only("file")
        return KeyFile(inner.local_path("file"))
    inner.word("policy", ("accept-new",))
    inner.only("policy", "reason")
    return AnyKey(inner.text("reason"))
