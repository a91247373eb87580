"""Whether a dump target takes a dump: it answers, lets the guest in, and has room."""

from __future__ import annotations

from datetime import timedelta

from harness.checks import bounds
from harness.errors import EvidenceError
from harness.evidence import Measured, Probe
from harness.units import Bytes, MiB
from harness.verdict import Outcome, Verdict, pass_if

ADDRESS_WITHIN = timedelta(minutes=2)
REFUSED = (
    "permission denied", "too many authentication failures", "access denied by server",
    "read-only file system",
)  # fmt: skip
FULL = ("no space left on device", "disk quota exceeded")
DOWN = (
    "connection refused", "connection timed out", "no route to host", "network is unreachable",
    "host is down", "timed out", "connection reset", "connection closed",
)  # fmt: skip


def room(folder: str) -> Probe[Bytes]:
    """Ask how much an ordinary user may still write below a folder."""

    def parse(text: str) -> Bytes:
        words = text.split()
        if len(words) != 2 or not all(word.isdigit() for word in words):
            raise EvidenceError("stat -f", "free blocks and their size", text)
        return Bytes(int(words[0]) * int(words[1]))

    return Probe(("stat", "-f", "-c", "%a %S", "--", folder), parse, privileged=True)


def read_answer(exit_status: int, said: str) -> str:
    """Return what is wrong with the target by ssh's or mount's own words, "" when nothing is.

    ``said``: in English, as programs speak without a locale. Raises EvidenceError for any other
    trouble: that is not the target's.
    """
    if exit_status == 0:
        return ""
    words = said.lower()
    if any(sign in words for sign in REFUSED):
        return "the target refuses the guest"
    if any(sign in words for sign in FULL):
        return "the target is full"
    if any(sign in words for sign in DOWN):
        return "the target is down"
    raise EvidenceError("dump target", f"answer (exit status {exit_status})", said)


def judge_target(answer: Measured[str], free: Measured[Bytes]) -> Verdict:
    """Judge whether the target would take a dump now; ``answer`` by ``read_answer``."""
    proof = answer.evidence + free.evidence
    last = answer.evidence[-1].asked.strip()
    if answer.value:
        return Verdict(Outcome.FAIL, f"{answer.value}: {last}", proof)
    return judge_room(Measured(free.value, proof))


def judge_room(free: Measured[Bytes]) -> Verdict:
    """Judge whether a core fits: the guest's own disk is full, too, when there is no more room."""
    left = f"the target has {free.value // MiB} MiB free"
    full = free.value < bounds.DUMP_ROOM
    return pass_if(not full, f"the target is full: {left}" if full else left, free.evidence)
