"""What one line says of a service."""

from __future__ import annotations

import re

import pytest

from harness.checks.service import ServiceScan

HEADING = "● hypervvssd.service - Hyper-V VSS daemon"


@pytest.mark.parametrize(
    ("lines", "said", "active"),
    [
        (("hypervvssd is stopped",), "stopped", False),
        (("Failed to start Hyper-V VSS daemon.",), "failed", False),
        (("Stopped Hyper-V VSS daemon.",), "stopped", False),
        (("Reloaded Hyper-V VSS daemon.",), "runs", True),
        (("Stopped: hypervvssd",), "stopped", False),
        (("○ hypervvssd.service - Hyper-V VSS daemon",), "stopped", False),
        (("$ rc-service hypervvssd status", " * status: started"), "runs", True),
        (("$ rc-service hypervvssd status", " * status: stopped"), "stopped", False),
        (("$ rc-service hypervvssd status", " * status: crashed"), "stopped", False),
        (("$ systemctl is-active hypervvssd", "inactive"), "stopped", False),
        (("○ ├─hypervvssd.service",), "stopped", False),
        ((" * Starting Hyper-V VSS daemon [fail]",), "failed", False),
        (("Stopped:\thypervvssd",), "stopped", False),
        (("Nothing: hypervvssd",), None, None),
        (("hypervvssd (pid  1035) is running...",), "runs", True),
        ((HEADING, "   Active: activating (auto-restart) since Wed"), "failed", False),
        ((HEADING, "   Active: activating (start) since Wed"), "starts", None),
        ((HEADING, "   Active: activating"), "starts", None),
        ((HEADING, "   Active: failed (Result: exit-code)"), "failed", False),
        (("sshd is stopped",), None, None),
    ],
)
def test_the_last_word_on_a_service_is_what_it_does(
    lines: tuple[str, ...], said: str | None, active: object
) -> None:
    scan = ServiceScan(re.compile("hypervvssd|Hyper-V VSS daemon"))
    told = [scan.feed(line) for line in lines]
    assert (told[-1], scan.said, scan.active) == (said, said, active)


def test_is_active_is_answered_once() -> None:
    scan = ServiceScan(re.compile("hypervvssd"))
    for line in ("$ systemctl is-active hypervvssd", "inactive", "active"):
        scan.feed(line)
    assert scan.said == "stopped"
