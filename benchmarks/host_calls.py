"""Times a warm `Get-VM -Name x` through hvcert beside bare pypsrp, a pool per call, and pywinrm.

Needs a lab that is up (`hvcert lab up`); everything runs in turn in one process, NTLM over HTTP.
Prints one JSON object: medians in milliseconds, and hvcert's ratio to the bare persistent pool.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import winrm
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from harness.host.command import Cmdlet
from harness.inventory.credentials import resolve
from harness.inventory.load import load
from harness.inventory.model import Host
from harness.run import open_session
from harness.secret import Secret

EMBEDDED = Path(__file__).parent.parent / "inventories" / "embedded.yaml"
VM = "bench-vm"


def median_ms(call: Callable[[], object], rounds: int) -> float:
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return round(statistics.median(times) * 1000, 2)


def bare(wsman: WSMan, pool: RunspacePool | None = None) -> None:
    if pool is None:
        with RunspacePool(wsman) as fresh:
            bare(wsman, fresh)
        return
    with PowerShell(pool) as shell:
        shell.add_cmdlet("Get-VM").add_parameter("Name", VM)
        shell.invoke()


def measure(host: Host, password: Secret, rounds: int) -> dict[str, float]:
    def wsman() -> WSMan:
        return WSMan(
            host.address, port=host.port, ssl=False, auth="negotiate",
            username=host.username, password=password.reveal(),
        )  # fmt: skip

    figures: dict[str, float] = {}
    get = Cmdlet("Get-VM", {"Name": VM}, safe_to_repeat=True)
    with open_session(host) as session, RunspacePool(wsman()) as pool:
        session.run(Cmdlet("New-VM", {"Name": VM, "Generation": 1, "NoVHD": True}))
        try:
            for turn in ("first", "second"):
                figures[f"hvcert_{turn}"] = median_ms(lambda: session.run(get), rounds)
                figures[f"bare_pool_{turn}"] = median_ms(lambda: bare(wsman(), pool), rounds)
            one = wsman()
            figures["pool_per_call"] = median_ms(lambda: bare(one), max(5, rounds // 5))
            client = winrm.Session(
                f"http://{host.address}:{host.port}/wsman", transport="ntlm",
                auth=(host.username, password.reveal()),
            )  # fmt: skip
            text = f"Get-VM -Name {VM}"
            figures["pywinrm_run_ps"] = median_ms(lambda: client.run_ps(text), max(5, rounds // 5))
        finally:
            session.run(Cmdlet("Remove-VM", {"Name": VM, "Force": True}))
    ours = min(figures["hvcert_first"], figures["hvcert_second"])
    theirs = min(figures["bare_pool_first"], figures["bare_pool_second"])
    return figures | {"ratio_to_bare_pool": round(ours / theirs, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    host = load(EMBEDDED).hosts[0]
    assert host.password is not None
    print(json.dumps(measure(host, resolve(host.password), options.rounds), indent=2))


if __name__ == "__main__":
    main()
