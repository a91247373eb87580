"""Times `true` on a warm guest session: hvcert (paramiko) beside asyncssh, in turn.

Give the address, user and key of any guest that answers SSH:
    python benchmarks/guest_exec.py --address A --user U --key KEYFILE
Prints one JSON object: medians in milliseconds, and the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path

import asyncssh

from harness.guest.shell import GuestShell
from harness.guest.ssh import SshShell
from harness.inventory.model import AnyKey, Become, Ssh


def ours(shell: GuestShell, rounds: int) -> float:
    shell.run(("true",))
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        shell.run(("true",))
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


async def theirs(options: argparse.Namespace, rounds: int) -> float:
    async with asyncssh.connect(
        options.address, options.port, username=options.user, client_keys=[str(options.key)],
        known_hosts=None, agent_path=None, config=None,
    ) as connection:  # fmt: skip
        await connection.run("true")
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            await connection.run("true")
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, default=22)
    parser.add_argument("--user", required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    login = Ssh(options.user, options.key, AnyKey("benchmark"), Become.NONE)
    figures: dict[str, float] = {}
    with SshShell.connect(login, "benchmark", (options.address,), options.port) as shell:
        for turn in ("first", "second"):
            figures[f"hvcert_{turn}"] = ours(shell, options.rounds)
            figures[f"asyncssh_{turn}"] = asyncio.run(theirs(options, options.rounds))
    mine = min(figures["hvcert_first"], figures["hvcert_second"])
    other = min(figures["asyncssh_first"], figures["asyncssh_second"])
    rounded = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps(rounded | {"ratio_to_asyncssh": round(mine / other, 3)}, indent=2))


if __name__ == "__main__":
    main()
