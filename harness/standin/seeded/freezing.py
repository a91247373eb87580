"""Faults of a guest's freeze service: it says that it froze, or does not come to an end."""

from __future__ import annotations

from harness.standin.seeded.fault import Fault, Level
from harness.standin.seeded.inside import in_every_guest

DOES_NOT = r"""
agent=$R/usr/sbin/qemu-ga
[ -e "$agent.whole" ] && exit 0
cp -p "$agent" "$agent.whole"
LC_ALL=C sed 's/\x77\x58\x04\xc0/\x51\x54\x00\x00/g' "$agent.whole" > "$agent.new"
chmod 755 "$agent.new"
mv "$agent.new" "$agent"
sync
systemd-run --quiet --on-active=2 systemctl restart qemu-guest-agent.service
"""
"""The agent asks for FIOCLEX (0x5451), which does nothing here, where it asked for FIFREEZE
(0xc0045877, linux/fs.h): the kernel answers success, and nothing stands still."""

HANGS = """
hook=$R/etc/qemu/fsfreeze-hook
[ -e "$hook.whole" ] && exit 0
mv "$hook" "$hook.whole"
cat > "$hook" <<END
#!/bin/sh
[ "\\$1" = freeze ] || exec "$hook.whole" "\\$@"
sleep 130
exit 1
END
chmod 755 "$hook"
sync
"""
"""The agent's own hook: of those in fsfreeze-hook.d nobody reads the exit status, and a freeze that
its host no longer waits for would begin when they end."""

FAULTS = (
    Fault(
        "freeze-without-freezing",
        Level.GUEST,
        "a guest's freeze service reports success, and no file system stands still",
        "guest: /usr/sbin/qemu-ga",
        in_every_guest("freeze-without-freezing", DOES_NOT),
    ),
    Fault(
        "freeze-hook-hangs",
        Level.GUEST,
        "a hook of a guest's freeze service hangs for longer than a host waits, and then fails",
        "guest: /etc/qemu/fsfreeze-hook",
        in_every_guest("freeze-hook-hangs", HANGS),
    ),
)
