# ruff: noqa: E501  # samples are as long as they come
from __future__ import annotations

import pytest

from harness.checks.vss_log import FreezeFailure, parse_vss_log

BOOT = "[    0.000000] Linux version 6.1.0 (a@b)\n"
STATUS = """\
{dot} {unit}.service - Hyper-V VSS daemon
   Loaded: loaded (/lib/systemd/system/{unit}.service; enabled; vendor preset: enabled)
   Active: {state}
"""


@pytest.mark.parametrize(
    ("text", "active"),
    [
        ("", None),
        (STATUS.format(dot="●", unit="hypervvssd", state="active (running) since Wed"), True),
        (STATUS.format(dot="○", unit="hv-vss-daemon", state="inactive (dead)"), False),
        (STATUS.format(dot="×", unit="hv_vss_daemon", state="failed (Result: exit-code)"), False),
        (STATUS.format(dot="●", unit="hypervvssd", state="activating (auto-restart)"), False),
        (STATUS.format(dot="●", unit="hypervkvpd", state="active (running)").replace("VSS", "KVP"), None),
        (
            STATUS.format(dot="●", unit="hypervvssd", state="active (running)")
            + STATUS.format(dot="●", unit="hypervkvpd", state="failed").replace("VSS", "KVP"),
            True,
        ),
        ("hypervvssd.service    enabled         enabled\n", None),
        ("● hypervvssd.service    loaded failed failed    Hyper-V VSS daemon\n", False),
        ("hypervvssd.service    loaded inactive dead    Hyper-V VSS daemon\n", False),
        ("$ systemctl is-active hypervvssd\nactive\n", True),
        ("$ systemctl is-active hv-vss-daemon.service\ninactive\n", False),
        ("● ├─hv-vss-daemon.service\n", True),
        ("Nov 25 10:00:00 vm1 systemd[1]: Started Hyper-V VSS daemon.\n", True),
        ("Nov 25 10:00:00 vm1 systemd[1]: Started hv-vss-daemon.service - Hyper-V VSS Protocol Daemon.\n", True),
        ("Nov 25 10:00:00 vm1 systemd[1]: Starting Hyper-V VSS daemon...\n", None),
        ("Hyper-V VSS: VSS: op=FREEZE: succeeded\n", True),
        ('syslog(LOG_INFO, "VSS: op=FREEZE: %s");\n', None),
        ("[  OK  ] Started Hyper-V VSS daemon.\n[  OK  ] Stopped Hyper-V VSS daemon.\n", False),
        ("[FAILED] Failed to start Hyper-V VSS daemon.\n", False),
        ("[DEPEND] Dependency failed for Hyper-V VSS Protocol Daemon.\n", False),
        ("[    3.1] systemd[1]: hv-vss-daemon.service: Main process exited, code=exited, status=1/FAILURE\n", False),
        ("systemd[1]: hv-vss-daemon.service: Deactivated successfully.\n", False),
        ("hv-vss-daemon.service - Hyper-V VSS Protocol Daemon was skipped because of an unmet condition check\n", False),
        (" * Starting Hyper-V VSS Protocol Daemon\x1b[74G[ OK ]\r\n", True),
        (" * Starting Hyper-V VSS Protocol Daemon\x1b[74G[fail]\r\n", False),
        ("Starting hypervvssd: [  OK  ]\n", True),
        ("hypervvssd (pid  1035) is running...\n", True),
        ("hypervvssd is stopped\n", False),
        ("hypervvssd dead but subsys locked\n", False),
        ("hv-vss-daemon start/running, process 1035\n", True),
        ("hv-vss-daemon stop/waiting\n", False),
        ("root       913  0.0  0.0   4340   852 ?        Ss   10:00   0:00 /usr/sbin/hypervvssd -n\n", True),
        ("root      2042  0.0  0.0 112808   968 pts/0    S+   10:01   0:00 grep --color=auto hypervvssd\n", None),
        ("Nov 25 10:00:00 vm1 Hyper-V VSS: VSS starting; pid is:1035\n", True),
        ("Nov 25 10:00:00 vm1 Hyper-V VSS: open /dev/vmbus/hv_vss failed; error: 2 No such file or directory\n", False),
        ("[    3.9] hv_utils: VSS IC version 5.0\n", None),
        ("hv_utils: VSS: timeout waiting for daemon to reply\n", None),
        ("systemd[1]: Unnecessary job was removed for /sys/devices/virtual/misc/vmbus!hv_vss.\n", None),
        ("Created symlink /etc/systemd/system/multi-user.target.wants/hypervvssd.service\n", None),
        ("hypervvssd-0-0.29.20160216git.el7.x86_64\n", None),
        ("[  OK  ] Started Hyper-V VSS daemon.\n" + BOOT, None),
        ("Unit hypervvssd.service could not be found.\n", False),
        ("VSS starting; pid is:9\n> VSS: freeze of /x:\n> Operation not supported\n" + BOOT, None),
    ],
)  # fmt: skip
def test_the_daemons_last_state_counts(text: str, active: bool | None) -> None:  # noqa: FBT001  # a column
    assert parse_vss_log(text).active is active


@pytest.mark.parametrize(
    ("text", "failures"),
    [
        ("Hyper-V VSS: VSS: freeze of /: Success\n", ()),
        ("Hyper-V VSS: VSS: freeze of /mnt/a b: Device or resource busy\n", (FreezeFailure("/mnt/a b", "Device or resource busy"),)),
        ("Hyper-V VSS: FREEZE of /boot failed; error:95\n", (FreezeFailure("/boot", "95"),)),
        ("FREEZE of /%s failed; error:5 Input/output error\n", ()),
        ("FREEZE of /x failed; error:5 Input/output error\n", (FreezeFailure("/x", "Input/output error"),)),
        ("Hyper-V VSS: VSS: freeze of /mnt/a:b: Invalid argument\n", (FreezeFailure("/mnt/a:b", "Invalid argument"),)),
        ("Hyper-V VSS: VSS: thaw of /: Invalid argument\n", ()),
        ("Nov 25 10:00:00 vm1 Hyper-V VSS[913]: FREEZE of /mnt/squash failed; error:95 Operation not supported\n", (FreezeFailure("/mnt/squash", "Operation not supported"),)),
        (
            "hypervvssd[913]: VSS: freeze of /x: Operation not supported\nhypervvssd[913]: FREEZE of /x failed; error:95 Operation not supported\n",
            (FreezeFailure("/x", "Operation not supported"),),
        ),
        ("> Hyper-V VSS: VSS: freeze of /mnt/squash:\n> Operation not supported\n", (FreezeFailure("/mnt/squash", "Operation not supported"),)),
        ('syslog(LOG_ERR, "FREEZE of %s failed; error:%d %s",\n', ()),
        ("Info  Failed to FIFREEZE: /data/dblog\n", ()),
    ],
)  # fmt: skip
def test_each_failed_freeze_is_named_once(text: str, failures: tuple[FreezeFailure, ...]) -> None:
    assert parse_vss_log(text).freeze_failures == failures
