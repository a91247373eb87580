"""Rows as runs leave them, for the tests of the report."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.png import png
from harness.report.result import CaseResult, EvidenceFile
from harness.report.step import Spent, Step
from harness.series import Series
from harness.verdict import Outcome

RUN = {
    "run": "20261125-231243-41c2f1",
    "inventory": "inventories/embedded.yaml",
    "started": "2026-11-25T23:12:43+00:00",
    "hvcert": "0.1.0",
    "controller": "controller",
}
FACTS = {
    "banner": "STAND-IN",
    "platform": "stand-in",
    "kernel": "6.1.0-56-amd64",
    "distribution": "debian 12",
    "host build": "17763",
    "host release": "Microsoft Windows Server 2019 Standard",
}
PREPARED = FACTS | {
    "preparations": "/etc/udev/rules.d/40-lab-memory.rules: Debian leaves hot-added memory offline"
}
VM = "hvcert-20261125-231243-41c2f1-nmi-01-14450-1"
STEPS = (
    Step(0.4, 0.1, "action", "hv-2019", f"New-VM -Name '{VM}' -Generation 1"),
    Step(2.6, 0.0, "note", "", "started the VM"),
    Step(2.7, 0.7, "action", "hv-2019", f"Start-VM -Name '{VM}'"),
    Step(3.2, 32.3, "question", "hv-2019", f"Get-VMNetworkAdapter -VMName '{VM}'", 31),
    Step(35.5, 4.9, "login", "debian-12", "ssh to 127.87.36.2 port 22"),
    Step(41.0, 0.4, "guest", "debian-12", "sudo cat /proc/interrupts"),
    Step(
        42.1, 0.2, "action", "hv-2019", f"Debug-VM -Name '{VM}' -InjectNonMaskableInterrupt:$true"
    ),
    Step(43.0, 0.3, "guest", "debian-12", "sudo cat /nowhere", 1, "guest debian-12: no such file"),
)
CELLS = ((x * 8, y * 14, 160) for y in range(18) for x in range(32))
GRID = png(32, 18, bytes(part for cell in CELLS for part in cell))
RATE = "transactions/s"
PICTURE = "evidence/FB-02-debian-12@hv-2019/03-thumbnail.png"


def row(case: str, outcome: Outcome, because: str, **more: object) -> CaseResult:
    """Return a row with what every row has."""
    base: dict[str, object] = {
        "feature": "NMI",
        "parameter": "",
        "guest": "debian-12",
        "host": "hv-2019",
        "evidence": (_piece(case, "sudo cat /proc/interrupts", "guest debian-12"),),
        "started": "2026-11-25T23:12:44+00:00",
        "seconds": 47.0,
        "facts": FACTS,
        "recording": f"recordings/{case}-debian-12@hv-2019.jsonl",
        "steps": STEPS,
    }
    return CaseResult(case=case, outcome=outcome, because=because, **(base | more))  # type: ignore[arg-type]


def _piece(case: str, asked: str, where: str, suffix: str = "txt") -> EvidenceFile:
    path = f"evidence/{case}-debian-12@hv-2019/01-{asked.split()[0]}.{suffix}"
    return EvidenceFile(path, asked, where, "0" * 64)


def curves() -> tuple[Series, ...]:
    """Return a memory ramp and a web load as DM-01 and DM-07 sample them."""
    seconds = [n * 1.5 for n in range(120)]
    assigned = tuple((t, 768.0 + 128 * math.floor(t / 20)) for t in seconds)
    visible = tuple((t, 700.0 + 128 * math.floor((t - 2) / 20)) for t in seconds)
    return (
        Series("assigned by the host", "MiB", assigned),
        Series("seen by the guest", "MiB", visible),
        Series("static", RATE, ((8, 103.0), (16, 96.0), (32, 40.0), (48, 32.0)), "clients"),
        Series("dynamic", RATE, ((8, 120.0), (16, 126.0), (32, 131.0), (48, 130.0)), "clients"),
    )


def night() -> tuple[CaseResult, ...]:
    """Return a run with every outcome, curves, a picture and a prepared guest."""
    thumbnail = EvidenceFile(PICTURE, "GetVirtualSystemThumbnailImage", "host hv-2019", "0" * 64)
    return (
        row("NMI-01", Outcome.PASS, "five NMIs were counted on CPU 0 and on no other"),
        row("NMI-02", Outcome.PASS, "refused [InvalidState]; all counts are 0", parameter="Off"),
        row("NMI-02", Outcome.FAIL, "CPU 0 counted 6 NMIs, not 5 <script>", parameter="Saved"),
        row("DM-01", Outcome.FAIL, "hot-added memory stays offline", guest="debian-12-stock",
            expected_failure="the distribution onlines nothing", feature="Dynamic memory"),
        row("DM-07", Outcome.PASS, "static fell to 31 % at 48 clients; dynamic kept 99 %",
            series=curves(), facts=PREPARED, feature="Dynamic memory", seconds=1860.0),
        row("FB-02", Outcome.PASS, "144 of 144 cells are right", evidence=(thumbnail,),
            feature="Frame buffer"),
        row("KD-01", Outcome.ERROR, "DeadlineExceeded: SSH on debian-12 did not happen",
            evidence=(), feature="kdump"),
        row("MMIO-02", Outcome.NOT_APPLICABLE, "build 9600 has no Set-VM for the gap"),
        row("BAK-04", Outcome.NOT_RUN, "the run ended before this case", evidence=(), steps=(),
            recording="", seconds=0.0, facts={}),
    )  # fmt: skip


TIMES = {
    "recordings/NMI-01-debian-12@hv-2019.jsonl": Spent(47.0, 38.6, 7.9),
    "recordings/DM-07-debian-12@hv-2019.jsonl": Spent(1860.0, 1751.3, 96.1),
}


def many(count: int) -> Iterator[CaseResult]:
    """Yield rows of a large run, each with a story of usual length."""
    for number in range(count):
        yield row(
            f"NMI-{number:05d}", Outcome.FAIL if number % 50 == 0 else Outcome.PASS, "x" * 120,
            steps=STEPS * 4, evidence=tuple(
                _piece(f"NMI-{number:05d}", f"cat /proc/{n}", "guest debian-12") for n in range(12)
            ),
        )  # fmt: skip
