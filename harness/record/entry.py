"""One line of a recording."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, ReplayError
from harness.record.codec import Clean, pack, unpack


class Kind(Enum):
    """What a line tells of."""

    BEGIN = "begin"
    TURN = "turn"
    HOST = "host"
    LOGIN = "login"
    GUEST = "guest"
    WAIT = "wait"
    DRAWN = "drawn"
    NOTE = "note"
    END = "end"


TURN = "its turn on the host"


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with its answer.

    ``who`` is the host's or the guest's inventory name. ``asked``: the call or command as a person
    would type it; it is what a replay looks up. ``at``: seconds since the case began, ``seconds``:
    how long it took. ``changes``: a host call that is not safe to repeat, so it did something.
    """

    kind: Kind
    who: str
    asked: str
    at: float = 0.0
    seconds: float = 0.0
    answer: Any = None
    wrong: HarnessError | None = None
    changes: bool = False

    @property
    def end(self) -> float:
        """Return when it was over, in seconds since the case began."""
        return self.at + self.seconds


def to_line(entry: Entry, clean: Clean) -> str:
    """Return the entry as one line of JSON without any secret."""
    row = {
        "kind": entry.kind.value,
        "who": entry.who,
        "asked": clean(entry.asked),
        "at": round(entry.at, 4),
        "seconds": round(entry.seconds, 4),
        "changes": entry.changes,
        "answer": pack(entry.answer, clean),
        "error": pack(entry.wrong, clean),
    }
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


def from_line(line: str) -> Entry:
    """Read what ``to_line`` made."""
    row = json.loads(line)
    return Entry(
        kind=Kind(row["kind"]),
        who=row["who"],
        asked=row["asked"],
        at=row["at"],
        seconds=row["seconds"],
        answer=unpack(row["answer"]),
        wrong=unpack(row["error"]),
        changes=row["changes"],
    )


def read(path: Path) -> Iterator[Entry]:
    """Yield the entries of a recording; a torn last line (a killed run) ends it.

    Raises ReplayError for what is no recording, or of another version of the harness.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                if line.endswith("}\n"):
                    yield from_line(line)
    except (ValueError, KeyError, TypeError) as broken:
        raise ReplayError(path.name, f"a line cannot be read ({broken!r})") from broken
    except OSError as broken:
        raise ReplayError(path.name, broken.strerror or str(broken)) from broken
