"""Problems and warnings of one inventory, gathered while it is read; no secret gets in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

WRITE_INSTEAD = (
    "a secret is never written into an inventory; write password: {env: NAME}, "
    "password: {file: PATH} or password: {keyring: service/user}"
)

# "passwd", "ssh_password", "apiKey", "key_passphrase"
_SECRET_KEY = re.compile(
    r"pass(wor[dt]|wd|phrase|code)?$|pwd|secret|token|credential|api_?key|private_?key|^pw$", re.I
)
# as in a URL with a login, "admin:hunter2@hv01"
_WITH_PASSWORD = re.compile(r"//[^/]*@|[^\s:@/]+:[^\s@]+@|PRIVATE KEY")


def names_a_secret(key: str) -> bool:
    """Tell whether a key's value may be a secret, so that neither may be quoted."""
    return bool(_SECRET_KEY.search(key))


def holds_a_password(text: str) -> bool:
    """Tell whether a text looks like ``user:password@host`` or a private key."""
    return bool(_WITH_PASSWORD.search(text))


def shown(value: object) -> str:
    """Return a value as a message may quote it: short, on one line, without a password."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if not isinstance(value, str):
        return "nothing" if value is None else str(value)
    if holds_a_password(value):
        return "a text that looks as if it held a password"
    short = value if len(value) <= 60 else value[:57] + "..."
    return '"' + "".join(c if c.isprintable() else "?" for c in short) + '"'


def key_shown(key: str) -> str:
    """Return a key as a path may name it."""
    return key if key.isprintable() and len(key) <= 60 and "@" not in key else "(a key)"


class Misread(ValueError):
    """A text that is not what its key wants; the sentence quotes it as far as it may be shown."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{shown(text)} {why}")


@dataclass(slots=True)
class Report:
    """Collects sentences, each led by the path of what it is about."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def problem(self, path: str, sentence: str) -> None:
        """Note what makes the inventory unusable."""
        self.problems.append(f"{path}: {sentence}" if path else sentence)

    def warning(self, path: str, sentence: str) -> None:
        """Note what is accepted but likely a mistake."""
        self.warnings.append(f"{path}: {sentence}")
