"""Faults of kexec in the guest: a command line that is lost, a kernel that is not loaded."""

from __future__ import annotations

from harness.standin.seeded.fault import Fault, Level
from harness.standin.seeded.inside import in_every_guest

WRAPPED = """
real=$R/usr/sbin/kexec.real
[ -e "$real" ] && exit 0
mv "$R/usr/sbin/kexec" "$real"
cat > "$R/usr/sbin/kexec" <<END
#!/bin/sh
case " \\$* " in *" -l "*) ;; *) exec "$real" "\\$@" ;; esac
{instead}
END
chmod 755 "$R/usr/sbin/kexec"
sync
"""
"""Only what loads a kernel for the next boot is broken, not what loads one for a crash."""

FORGETS = WRAPPED.replace(
    "{instead}",
    """for word in "\\$@"; do
    case "\\$word" in --command-line=*) word=--reuse-cmdline ;; esac
    shift
    set -- "\\$@" "\\$word"
done
exec "$real" "\\$@\"""",
)

FAULTS = (
    Fault(
        "kexec-forgets-command-line",
        Level.GUEST,
        "a guest's kexec loads a kernel with the running one's command line, whatever it is told",
        "guest: /usr/sbin/kexec",
        in_every_guest("kexec-forgets-command-line", FORGETS),
    ),
    Fault(
        "kexec-loads-nothing",
        Level.GUEST,
        "a guest's kexec reports success and loads no kernel",
        "guest: /usr/sbin/kexec",
        in_every_guest("kexec-loads-nothing", WRAPPED.replace("{instead}", "exit 0")),
    ),
)
