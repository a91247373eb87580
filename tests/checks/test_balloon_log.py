from __future__ import annotations

import pytest

from harness.checks.balloon_log import BalloonLog, parse_balloon

BOOT = "[    0.000000] Linux version 6.1.0 (a@b)\n"
PROTOCOL = "[    3.9] hv_balloon: Using Dynamic Memory protocol version 2.0\n"
MAXIMUM = "[   52.0] hv_balloon: Max. dynamic memory size: 8192 MB\n"
FAILED = "[  312.6] hv_balloon: hot_add memory failed error is -22\n"
OOM = "[  400.1] tuned invoked oom-killer: gfp_mask=0x6200ca(GFP_HIGHUSER_MOVABLE), order=0\n"


def test_all_is_read_from_one_boot() -> None:
    assert parse_balloon(PROTOCOL + MAXIMUM + FAILED + OOM) == BalloonLog(
        "2.0", 8192, -22, oom=True
    )


def test_the_last_boot_counts() -> None:
    assert parse_balloon(PROTOCOL + MAXIMUM + FAILED + OOM + BOOT + MAXIMUM) == BalloonLog(
        max_mib=8192
    )


@pytest.mark.parametrize(
    "line",
    [
        "Out of memory: Kill process 1234 (stress) score 900 or sacrifice child",
        "Out of memory: Killed process 1234 (stress) total-vm:8kB, anon-rss:4kB",
        "Memory cgroup out of memory: Killed process 1234 (stress) total-vm:8kB",
        "Killed process 1234 (stress) total-vm:8kB, anon-rss:4kB, file-rss:0kB",
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom",
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name",
        "oom_reaper: reaped process 1234 (stress), now anon-rss:0kB",
        " out_of_memory+0x1c1/0x4b0",
        "Out of memory and no killable processes...",
    ],
)
def test_what_only_the_oom_killer_prints_shows_it(line: str) -> None:
    assert parse_balloon(f"[  400.123456] {line}\n").oom


@pytest.mark.parametrize(
    "line",
    [
        "Mem-Info:",
        "kworker/0:2: vmemmap alloc failure: order:9, mode:0x4cc0(GFP_KERNEL|__GFP_RETRY_MAYFAIL)",
        "OOM killer disabled.",
        "OOM killer enabled.",
        "hv_balloon: Balloon request will be partially fulfilled. Balloon floor reached.",
        "hv_balloon: Data Size is 8",
        "hv_balloon: Memory hot add failed",
        "systemd[1]: Listening on Userspace Out-Of-Memory (OOM) Killer Socket.",
    ],
)
def test_what_others_print_is_nothing(line: str) -> None:
    assert parse_balloon(f"[  400.123456] {line}\n") == BalloonLog()
