"""Sends broken messages to the stand-in for as long as wanted; the first bad answer ends it.

    python benchmarks/wire_fuzz.py [SECONDS] [SEED]

Every other message is broken before authentication. A finding is printed with its seed and number,
and is the same in every run with that seed.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from pathlib import Path

from harness.standin.server import Endpoint, WinRM
from tests.standin.wire.fake_engine import PASSWORD, FakeEngine
from tests.standin.wire.mutants import ANSWERS, flip, mutants, offer, recorded, shout
from tests.standin.wire.raw import post


def held() -> tuple[int, int]:
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 1_000_000
    chance = random.Random(seed)  # noqa: S311  # a seed makes a finding repeatable
    end = Endpoint("HV01", "127.0.0.1", FakeEngine(), {"Administrator": PASSWORD}, 0, 0)
    with WinRM([end]) as winrm:
        messages, begun, number = recorded(winrm), time.monotonic(), 0
        before = held()
        for number, body in enumerate(mutants(messages, seed)):
            if time.monotonic() - begun > seconds:
                break
            try:
                assert offer(winrm, body) in ANSWERS | {0}
                shout(winrm, flip(chance, post(body)))
            except (AssertionError, TimeoutError) as wrong:
                raise SystemExit(f"seed {seed}, message {number}: {wrong!r}\n{body!r}") from wrong
        print(f"seed {seed}: {number} messages each way, threads and files {before} → {held()}")


if __name__ == "__main__":
    main()
