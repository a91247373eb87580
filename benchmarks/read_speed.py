"""Times every reader of ``hvcert read`` over texts of 50 MB, and prints one line per topic.

    python benchmarks/read_speed.py [MEGABYTES]

Two texts: the recorded evidence over and over (what a serial console holds), and the worst of a
list of hostile units (what an expression might stumble over). Seconds are of processor time.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

from harness.checks.text import decode
from harness.errors import EvidenceError
from harness.reading import TOPICS

EVIDENCE = Path(__file__).parent.parent / "tests" / "recorded" / "evidence"
HOSTILE = (
    "[    1.000000] " + "x" * 50 + "\n" + "y" * 70 + "\n",
    "hv_storvsc x: tag#1 cmd 0x28 status: scsi 0x2 srb 0x4 hv 0xc0000001\n",
    "Filesystem 1K-blocks Used Available Use% Mounted on\n/dev/sda1 1 2 3 4% /a\n",
    "a" * 16_000 + "\n",
    "kdump: saving vmcore\nsaved vmcore in /a\n",
    "● hypervvssd.service - x\n   Active: active\n",
)


def seconds(topic: str, text: str) -> float:
    begun = time.process_time()
    with suppress(EvidenceError):
        TOPICS[topic](text)
    return time.process_time() - begun


def main() -> None:
    size = int(sys.argv[1]) * 1_000_000 if len(sys.argv) > 1 else 50_000_000
    recorded = decode(b"\n".join(path.read_bytes() for path in sorted(EVIDENCE.rglob("*.txt"))))
    log = (recorded * (size // len(recorded) + 1))[:size]
    for topic in TOPICS:
        usual = seconds(topic, log)
        small = {unit: seconds(topic, unit * (500_000 // len(unit))) for unit in HOSTILE}
        worst = max(small, key=small.__getitem__)
        hard = seconds(topic, worst * (size // len(worst)))
        print(f"{topic:12} {usual:6.1f} s  hostile {hard:6.1f} s {worst[:30]!r}", flush=True)


if __name__ == "__main__":
    main()
