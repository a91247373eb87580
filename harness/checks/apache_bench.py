"""What ApacheBench (``ab``) says of one load: rate, latency and errors. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import EvidenceError

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Load:
    """One load: how many requests were answered at all, how many of those wrongly, in how long.

    ``within``: for each of PERCENTILES the milliseconds within which so many percent were answered;
    empty where fewer than two were, as ab has it. ``gave_up``: why ab ended before its time, ""
    where it did not.
    """

    clients: int
    seconds: float
    answered: int
    failed: int
    within: Mapping[int, int]
    gave_up: str = ""

    @property
    def rate(self) -> float:
        """Return the good answers per second; 0 where ab gave up."""
        return (self.answered - self.failed) / self.seconds if self.seconds else 0.0

    @property
    def errors(self) -> float:
        """Return the share of answers that were errors, 0 to 1; 1 where ab gave up."""
        if self.gave_up or not self.answered:
            return 1.0
        return self.failed / self.answered


_GAVE_UP = re.compile(r"(apr_\w+(?:\(\))?: .+?)\s*$", re.MULTILINE)
_REACHED = re.compile(r"^Total of (\d+) requests completed", re.MULTILINE)
_PERCENTILE = re.compile(r"^ +(\d{2})% +(\d+)\s*$", re.MULTILINE)


def parse_load(text: str) -> Load:
    """Read ab's report, e.g. ``Complete requests:      1987`` and ``  95%    142`` (ms).

    ``Non-2xx responses`` stands there only when there were some. A server that is silent for too
    long ends ab early: ``apr_pollset_poll: The timeout specified has expired (70007)`` and
    ``Total of 12 requests completed``, without a report. With ``-r`` one request may count as wrong
    in several ways. Raises EvidenceError for anything else.
    """
    if stopped := _GAVE_UP.search(text):
        reached = _REACHED.search(text)
        return Load(0, 0.0, int(reached[1]) if reached else 0, 0, {}, stopped[1])
    answered = int(_field(text, "Complete requests", r"(\d+)"))
    wrong = int(_field(text, "Failed requests", r"(\d+)"))
    refused = re.search(r"^Non-2xx responses: +(\d+)", text, re.MULTILINE)
    within = {int(share): int(ms) for share, ms in _PERCENTILE.findall(text)}
    if answered > 1 and not set(PERCENTILES) <= within.keys():
        raise EvidenceError("ab", "percentiles", text)
    return Load(
        clients=int(_field(text, "Concurrency Level", r"(\d+)")),
        seconds=float(_field(text, "Time taken for tests", r"([\d.]+) seconds")),
        answered=answered,
        failed=min(answered, max(wrong, int(refused[1]) if refused else 0)),
        within={share: within[share] for share in PERCENTILES if answered > 1},
    )


def _field(text: str, name: str, value: str) -> str:
    found = re.search(rf"^{re.escape(name)}: +{value}", text, re.MULTILINE)
    if not found:
        raise EvidenceError("ab", name, text)
    return found[1]
