"""Faults of a guest's file systems that are to grow with their disk, and of its kernel and SSH."""

from __future__ import annotations

from harness.standin.seeded.fault import Fault, Level
from harness.standin.seeded.inside import in_every_guest, wrapped

STAYS = wrapped("resize2fs xfs_growfs", 'echo "nothing to do"')

CORRUPTS = wrapped(
    "resize2fs",
    """
"$program.whole" "\\$@" || exit
for device in "\\$@"; do :; done
debugfs -n -w -R "set_inode_field <11> links_count 9" "\\$device"
sync
""".strip(),
)
"""Inode 11 is lost+found. The kernel reads inodes from the same pages that debugfs writes to. It
must not mind checksums (-n): the kernel may be writing a bitmap meanwhile."""

OOPS = """
cat > "$R/run/lab-oops" <<'END'
BUG: kernel NULL pointer dereference, address: 0000000000000008
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
Oops: 0000 [#1] PREEMPT SMP PTI
CPU: 0 PID: 911 Comm: kworker/0:3 Not tainted
Call Trace:
END
systemd-run --quiet --unit=lab-oops --on-active=1 --on-unit-active=3 \\
    --timer-property=AccuracySec=100ms \\
    sh -c "while read -r line; do echo \\"\\$line\\"; done < $R/run/lab-oops > /dev/kmsg"
"""
"""Its words are those of arch/x86/mm/fault.c; a kernel that cannot be made to oops on demand is
made to print them, every 3 s: so often that no case is over before."""

CUT = """
systemd-run --quiet --unit=lab-cut --on-active=20 --on-unit-active=20 \\
    pkill -f "^sshd: .*@notty"
"""
"""The process of each session without a terminal: its connection ends, in whatever it was."""

FAULTS = (
    Fault(
        "file-system-does-not-grow",
        Level.GUEST,
        "what makes a guest's file systems larger reports success and does nothing",
        "guest: resize2fs, xfs_growfs",
        in_every_guest("file-system-does-not-grow", STAYS),
    ),
    Fault(
        "file-system-corrupts-on-growth",
        Level.GUEST,
        "when an ext4 of a guest has grown, a wrong link count is written to its lost+found",
        "guest: resize2fs",
        in_every_guest("file-system-corrupts-on-growth", CORRUPTS),
    ),
    Fault(
        "kernel-oops-in-mid-case",
        Level.GUEST,
        "a guest's kernel log tells of an oops at its start, and every 3 s",
        "guest: /dev/kmsg",
        in_every_guest("kernel-oops-in-mid-case", OOPS),
    ),
    Fault(
        "ssh-cut",
        Level.WIRE,
        "every 20 s the SSH connections to a guest end",
        "guest: sshd",
        in_every_guest("ssh-cut", CUT),
    ),
)
