"""Feeds broken text to the readers of `hvcert read`: a crash or a slow text ends a topic.

    make fuzz [FOR=3600]
    python -m benchmarks.read_fuzz SECONDS [TOPIC...]

libFuzzer (through atheris) breaks the recorded evidence further wherever that reaches code which
was not reached before. Every topic has an equal part of the time; at the end the longest text of
each topic's corpus is read again, a hundred times as long. What ended a topic is kept in
results/fuzz/TOPIC-….
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.errors import EvidenceError

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "tests" / "recorded" / "evidence"
FOUND = ROOT / "results" / "fuzz"
LONGEST = 16_384  # bytes of an input
SLOW = 2.0  # seconds of processor time for that, under instrumentation
SLOW_LONG = 20.0  # the same without, for a hundred times as much


def main() -> None:
    seconds, wanted = float(sys.argv[1]), sys.argv[2:]
    topics = wanted or list(import_module("harness.reading").TOPICS)
    bad = [topic for topic in topics if not _fuzz(topic, int(seconds / len(topics)))]
    raise SystemExit(f"a reader broke: {', '.join(bad)}; see {FOUND}" if bad else 0)


def _fuzz(topic: str, seconds: int) -> bool:
    """Run one topic in a process of its own, which libFuzzer ends; say how much it tried."""
    corpus = FOUND / topic
    corpus.mkdir(parents=True, exist_ok=True)
    options = (f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-verbosity=1", "-timeout=60")
    places = (f"-artifact_prefix={FOUND}/{topic}-", str(corpus), str(SEEDS / _seeds(topic)))
    child = (sys.executable, "-m", "benchmarks.read_fuzz", "--child", topic)
    done = subprocess.run((*child, *options, *places), capture_output=True, text=True, cwd=ROOT)
    tried = re.search(r"Done (\d+) runs in (\d+) second", done.stderr)
    if tried is None:
        print(f"{topic}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return False
    reached = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", done.stderr)[-1]
    took = _read_long(topic, corpus)
    said = f"{tried[1]} texts in {tried[2]} s, {reached[0]} places reached, {reached[2]} kept"
    print(f"{topic}: {said}; {LONGEST * 100 / 1e6:.1f} MB read in {took:.1f} s of processor time")
    return took <= SLOW_LONG


def _seeds(topic: str) -> str:
    folders = {"framebuffer": "fb", "meminfo": "balloon", "df": "storage"}
    return folders.get(topic, topic)


def _read_long(topic: str, corpus: Path) -> float:
    """Return the most processor time that a text of the corpus, made long, takes."""
    from harness.checks.text import decode
    from harness.reading import TOPICS

    longest = 0.0
    for path in sorted(corpus.iterdir(), key=lambda path: path.stat().st_size)[-40:]:
        raw = path.read_bytes() or b"\n"
        text = decode(raw * (LONGEST * 100 // len(raw)))
        begun = time.process_time()
        with suppress(EvidenceError):
            TOPICS[topic](text)
        longest = max(longest, time.process_time() - begun)
    return longest


def _child(topic: str, options: list[str]) -> None:
    atheris: Any = import_module("atheris")  # only here: `make fuzz` installs it
    with atheris.instrument_imports(include=["harness"]):
        reading = import_module("harness.reading")
        text = import_module("harness.checks.text")

    def read(raw: bytes) -> None:
        begun = time.process_time()
        with suppress(EvidenceError):
            json.dumps(reading.TOPICS[topic](text.decode(raw)))
        took = time.process_time() - begun
        if took > SLOW:
            raise TimeoutError(f"{len(raw)} bytes took {took:.1f} s")

    atheris.Setup([sys.argv[0], *options], read)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        _child(sys.argv[2], sys.argv[3:])
    else:
        main()
