"""References to secrets → secrets; what a reference holds never gets into a message."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from harness.errors import CredentialError
from harness.inventory.model import Reference, ReferenceKind
from harness.secret import Secret

MAXIMUM = 64 << 10


def resolve(reference: Reference) -> Secret:
    """Read a secret from where the reference says; raise CredentialError with what to do."""
    return Secret(READERS[reference.kind](reference.name))


def _from_environment(name: str) -> str:
    where = f"environment variable {name}"
    if name not in os.environ:
        raise CredentialError(
            where, "is not set", f"set it in the shell that starts hvcert: {name}=…"
        )
    if not os.environ[name]:
        raise CredentialError(where, "is empty", "put the secret into it")
    return os.environ[name]


def _from_file(name: str) -> str:
    where = f"secret file {name}"
    try:
        with open(name, "rb", opener=_without_waiting) as file:  # Path has no opener
            _check_mode(os.fstat(file.fileno()), where, name)
            content = file.read(MAXIMUM + 1)
    except OSError as error:
        advice = (
            f"write the secret into it and chmod 600 {name}; for the embedded lab: hvcert lab up"
        )
        raise CredentialError(where, f"cannot be read ({error.strerror})", advice) from None
    return _one_line(content, where)


def _without_waiting(path: str, flags: int) -> int:
    """Open without waiting for a FIFO's writer: what is no regular file is refused anyway."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _check_mode(found: os.stat_result, where: str, name: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise CredentialError(where, "is no regular file", "name a file that holds the secret")
    if found.st_mode & stat.S_IRWXO:
        mode = stat.S_IMODE(found.st_mode)
        raise CredentialError(where, f"is open to every user (mode {mode:o})", f"chmod 600 {name}")


def _one_line(content: bytes, where: str) -> str:
    if len(content) > MAXIMUM:
        raise CredentialError(
            where, "is larger than 64 KiB", "name a file that holds only the secret"
        )
    try:
        text = content.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CredentialError(where, "is not UTF-8", "save the secret as UTF-8 text") from None
    if not text or "\n" in text:
        problem = "has several lines" if text else "is empty"
        raise CredentialError(where, problem, "write the secret into it as its one line")
    return text


def _from_keyring(name: str) -> str:
    where = f"keyring entry {name}"
    service, _, user = name.rpartition("/")
    try:
        import keyring  # slow to import, and only some inventories need it
        from keyring.errors import KeyringError
    except ImportError:
        raise CredentialError(
            where, "the keyring library is not installed", "install it, or use env or file"
        ) from None
    try:
        secret = keyring.get_password(service, user)
    except KeyringError as error:
        kind = type(error).__name__
        advice = "unlock or set up the keyring, or use env or file"
        raise CredentialError(where, f"the keyring does not answer ({kind})", advice) from None
    if not secret:
        raise CredentialError(where, "is not there", f"store it: keyring set {service} {user}")
    return secret


READERS: dict[ReferenceKind, Callable[[str], str]] = {
    ReferenceKind.ENV: _from_environment,
    ReferenceKind.FILE: _from_file,
    ReferenceKind.KEYRING: _from_keyring,
}
