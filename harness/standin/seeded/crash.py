"""Faults of captured crashes, in the guest: its capture kernel, its makedumpfile, its disk."""

from __future__ import annotations

from harness.standin.seeded.fault import Fault, Level
from harness.standin.seeded.inside import in_every_guest, wrapped

IN_CAPTURE = """[ -s "$R/proc/vmcore" ] || exec "$program.whole" "\\$@"
case " \\$* " in *" --dump-dmesg "*) exec "$program.whole" "\\$@" ;; esac
"""
"""Only what writes a core in the capture kernel is broken; the log of the crash, and cores that are
read later, are left to the real program. The family's dump service has it write to a pipe."""


def _writing(instead: str) -> str:
    """Return what puts a script in the place of what writes a core."""
    return wrapped("makedumpfile", IN_CAPTURE + instead)


CUT = 6_000_000
"""Bytes; the core of a guest of 1 GiB has three times as many."""

TRUNCATED = _writing(f'"$program.whole" "\\$@" | head -c {CUT}')

OLDER = (
    _writing(
        """older=\\$(ls -t "$R"/var/crash/*/dump.[0-9]* 2>/dev/null | head -n 1)
if [ -n "\\$older" ]; then exec cat "\\$older"; fi
exec "$program.whole" "\\$@\"""",
    )
    + """
ls "$R"/var/crash/*/dump.[0-9]* >/dev/null 2>&1 && exit 0
[ "$(cat "$R/sys/kernel/kexec_crash_size")" -gt 0 ] || exit 0
for _ in $(seq 150); do
    [ "$(cat "$R/sys/kernel/kexec_crash_loaded")" = 1 ] && break
    sleep 2
done
sync
echo c > "$R/proc/sysrq-trigger"
"""
)
"""There has to be an older core first: a guest that is armed crashes once before anybody knows."""

PANICS = """
file=$R/etc/default/kdump-tools
[ -e "$file" ] || exit 0
sed -i /^KDUMP_CMDLINE_APPEND=/d "$file"
cat >> "$file" <<END
KDUMP_CMDLINE_APPEND="reset_devices nr_cpus=1 irqpoll usbcore.nousb panic=10 rdinit=/missing"
END
sync
"""
"""Without the initrd's init the root disk has no driver: "VFS: Unable to mount root fs"."""

LEFT = 12 << 20
FULL = f"""
file=$R/var/lib/lab-filled
[ -e "$file" ] && exit 0
free=$(( $(stat -f -c %a "$R/") * $(stat -f -c %S "$R/") ))
fallocate -l $(( free - {LEFT} )) "$file"
sync
"""

UNREACHABLE = _writing(
    """"$program.whole" "\\$@"
done=\\$?
ln -sf /dev/null "$R/etc/systemd/system/ssh.service"
sync
exit \\$done""",
)


def _fault(name: str, does: str, where: str, script: str) -> Fault:
    return Fault(name, Level.GUEST, does, where, in_every_guest(name, script))


FAULTS = (
    _fault(
        "core-truncated",
        f"a guest's capture kernel saves the first {CUT // 1_000_000} MB of a core, and says that"
        " it saved it",
        "guest: /usr/bin/makedumpfile",
        TRUNCATED,
    ),
    _fault(
        "core-of-older-boot",
        "a guest's capture kernel saves the core of an older crash again",
        "guest: /usr/bin/makedumpfile",
        OLDER,
    ),
    _fault(
        "dump-disk-full",
        f"the disk of every guest is full but for {LEFT >> 20} MiB",
        "guest: its root file system",
        FULL,
    ),
    _fault(
        "capture-kernel-panics",
        "a guest's capture kernel finds no root file system, panics and restarts the machine",
        "guest: /etc/default/kdump-tools",
        PANICS,
    ),
    _fault(
        "guest-unreachable-after-panic",
        "after a crash a guest saves its core and boots, and its SSH server does not start",
        "guest: /usr/bin/makedumpfile",
        UNREACHABLE,
    ),
)
