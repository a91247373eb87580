"""The only place that draws at random: what was drawn is recorded, and a replay draws the same."""

from __future__ import annotations

import secrets
from collections.abc import Callable


class Chance:
    """Draws names and nonces. ``source`` replaces what would be made; ``listener`` is told."""

    def __init__(self) -> None:
        self.source: Callable[[str], str] | None = None
        self.listener: Callable[[str, str], None] | None = None

    def draw(self, what: str, make: Callable[[], str]) -> str:
        """Return a fresh text for ``what``, such as a VM's name."""
        drawn = make() if self.source is None else self.source(what)
        if self.listener is not None:
            self.listener(what, drawn)
        return drawn

    def nonce(self, what: str = "nonce") -> str:
        """Return 16 hexadecimal digits that no other case has."""
        return self.draw(what, lambda: secrets.token_hex(8))


CHANCE = Chance()
