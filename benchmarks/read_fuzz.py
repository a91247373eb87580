"""Feeds broken text to the readers of `hvcert read`: a crash or a slow text ends a topic.

    make fuzz [FOR=3600]
    python -m benchmarks.read_fuzz SECONDS [TOPIC...]

libFuzzer (through atheris) breaks the recorded evidence further wherever that reaches code which
was not reached before. Every topic has an equal part of the time, which is processor time, so that
a busy machine does not lessen what is tried; at the end the longest text of
each topic's corpus is read again, a hundred times as long. What ended a topic is kept in
results/fuzz/TOPIC-….
"""

from __future__ import annotations

import json
import re
import resource
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
LEAST = 10.0  # seconds that are worth a sitting: a third of them goes into its start
SLOW = 2.0  # seconds of processor time for that, under instrumentation
SLOW_LONG = 20.0  # the same without, for a hundred times as much


def main() -> None:
    seconds, wanted = float(sys.argv[1]), sys.argv[2:]
    topics = wanted or list(import_module("harness.reading").TOPICS)
    bad = [topic for topic in topics if not _fuzz(topic, seconds / len(topics))]
    raise SystemExit(f"a reader broke: {', '.join(bad)}; see {FOUND}" if bad else 0)


def _fuzz(topic: str, seconds: float) -> bool:
    """Run one topic for so much processor time; say how much was tried."""
    corpus = FOUND / topic
    corpus.mkdir(parents=True, exist_ok=True)
    texts, used = 0, 0.0
    while True:  # libFuzzer itself counts the time that passes, which may be much more
        before = _used_by_children()
        ended = _sitting(topic, corpus, int(seconds - used))
        tried = re.search(r"Done (\d+) runs in \d+ second", ended)
        if tried is None:
            print(f"{topic}: {ended[-4000:]}")
            return False
        texts, used = texts + int(tried[1]), used + _used_by_children() - before
        reached = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)", ended)[-1]
        if seconds - used <= LEAST:
            break
    took = _read_long(topic, corpus)
    said = f"{texts} texts in {used:.0f} s, {reached[0]} places reached, {reached[1]} kept"
    long = f"{LONGEST * 100 / 1e6:.1f} MB read in {took:.1f} s"
    print(f"{topic}: {said}; {long} of processor time", flush=True)
    return took <= SLOW_LONG


def _sitting(topic: str, corpus: Path, seconds: int) -> str:
    """Run one topic in a process of its own, which libFuzzer ends; return what that said."""
    options = (f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-verbosity=1", "-timeout=600")
    places = (f"-artifact_prefix={FOUND}/{topic}-", str(corpus), str(SEEDS / _seeds(topic)))
    child = (sys.executable, "-m", "benchmarks.read_fuzz", "--child", topic)
    done = subprocess.run((*child, *options, *places), capture_output=True, text=True, cwd=ROOT)
    return done.stdout + done.stderr


def _used_by_children() -> float:
    """Return the seconds of processor time of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
