"""The capture kernel's log: through which drivers it dumped, and what it was kept from."""

from __future__ import annotations

import pytest

from harness.checks.capture import blacklisted, command_line, judge_capture
from harness.checks.kernel_log import KernelLog, parse_kernel_log
from harness.checks.platform import HYPER_V, STAND_IN, Platform
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.verdict import Outcome

USUAL = "BOOT_IMAGE=/boot/vmlinuz root=LABEL=root ro quiet crashkernel=192M"
LINE = "root=LABEL=root ro quiet reset_devices nr_cpus=1 irqpoll elfcorehdr=867388K"
ON_HYPER_V = f"""\
[    0.000000] Command line: {LINE}
[    0.010000] Kernel command line: {LINE}
[    1.500000] hv_vmbus: registering driver hv_storvsc
[    1.600000] scsi host0: storvsc_host_t
[    2.000000] hv_vmbus: registering driver hv_netvsc
"""
ON_QEMU = f"""\
[    0.000000] Command line: {LINE}
[    1.500000] scsi host0: ata_piix
[    2.000000] virtio_net virtio3 ens8: renamed from eth0
"""


def log(text: str) -> Measured[KernelLog]:
    return Measured(parse_kernel_log(text), (Evidence("cat", text, "guest"),))


def usual(line: str = USUAL) -> Measured[str]:
    return Measured(line, (Evidence("cat /proc/cmdline", line, "guest"),))


@pytest.mark.parametrize(
    ("text", "platform", "outcome"),
    [
        (ON_HYPER_V, HYPER_V, Outcome.PASS),
        (ON_QEMU, STAND_IN, Outcome.PASS),
        (ON_QEMU.replace("ata_piix", "ata-piix"), STAND_IN, Outcome.PASS),
        (ON_QEMU, HYPER_V, Outcome.FAIL),
        (ON_HYPER_V.replace("hv_storvsc", "ata_piix"), HYPER_V, Outcome.FAIL),
        (ON_HYPER_V.replace("hv_netvsc", "tulip"), HYPER_V, Outcome.FAIL),
        (ON_HYPER_V.replace("irqpoll", "modprobe.blacklist=hv_utils"), HYPER_V, Outcome.FAIL),
        (ON_HYPER_V.replace("irqpoll", "module_blacklist=hyperv_fb"), HYPER_V, Outcome.FAIL),
        (ON_HYPER_V.replace("irqpoll", "rd.driver.blacklist=hv_balloon"), HYPER_V, Outcome.FAIL),
        (ON_HYPER_V.replace("irqpoll", "initcall_blacklist=foo_init"), HYPER_V, Outcome.FAIL),
        (
            ON_HYPER_V.replace("hv_vmbus: registering driver hv_storvsc", "x").replace(
                "irqpoll", "hv_storvsc.x=1"
            ),
            HYPER_V,
            Outcome.FAIL,
        ),
    ],
)
def test_the_capture_kernel_has_to_run_on_the_platforms_drivers(
    text: str, platform: Platform, outcome: Outcome
) -> None:
    verdict = judge_capture(log(text), platform, usual())
    assert verdict.outcome is outcome
    assert verdict.because.startswith("dumped through emulated devices") is (
        outcome is Outcome.FAIL
    )


def test_what_the_usual_boot_keeps_out_too_is_the_distributions_own() -> None:
    kept_out = ON_HYPER_V.replace("irqpoll", "rd.driver.blacklist=nouveau")
    own = usual(f"{USUAL} rd.driver.blacklist=nouveau")
    assert judge_capture(log(kept_out), HYPER_V, own).outcome is Outcome.PASS
    assert judge_capture(log(kept_out), HYPER_V, usual()).outcome is Outcome.FAIL


def test_the_log_of_a_usual_boot_is_no_proof() -> None:
    with pytest.raises(EvidenceError):
        judge_capture(log(ON_HYPER_V.replace("elfcorehdr=", "x=")), HYPER_V, usual())
    with pytest.raises(EvidenceError):
        command_line(parse_kernel_log("[    1.0] nothing\n"))


def test_of_a_log_without_a_command_line_the_start_is_kept() -> None:
    lines = [f"[    1.0] nothing {n}" for n in range(30)]
    with pytest.raises(EvidenceError) as told:
        command_line(parse_kernel_log("\n".join(lines)))
    assert told.value.output == "\n".join(lines[:20])


def test_all_that_is_wrong_with_a_capture_kernel_is_said() -> None:
    text = ON_QEMU.replace("irqpoll", "module_blacklist=b,a").replace("ata_piix", "tulip")
    because = judge_capture(log(text), STAND_IN, usual()).because
    assert f"names no storage driver of {STAND_IN.name} " in because
    assert f"({', '.join(STAND_IN.storage_drivers)})" in because
    assert because.endswith("; its command line keeps out a, b")


def test_every_spelling_of_a_blacklist_is_read() -> None:
    line = "a modprobe.blacklist=a,b module_blacklist=c rd.driver.blacklist=d rdblacklist=e f=g"
    assert blacklisted(line) == frozenset("abcde")
