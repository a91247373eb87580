"""Reads ``--deadline``. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

AT = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
IN = re.compile(r"\+(\d{1,4})([hm])")


def parse_deadline(text: str, now: datetime) -> datetime:
    """Return when ``06:00`` (the next one), ``+90m`` or ``+8h`` is, counted from ``now``.

    ValueError, with what is possible, for anything else. ``now`` has the local zone.
    """
    if found := AT.fullmatch(text.strip()):
        hour, minute = int(found[1]), int(found[2])
        today = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)
    if found := IN.fullmatch(text.strip()):
        return now + int(found[1]) * timedelta(**{"hours" if found[2] == "h" else "minutes": 1})
    said = f"deadline {text!r} is none: write the time it ends, 06:00, or how long it may take, +8h"
    raise ValueError(said)
