"""Does a service run, by what systemd, upstart, OpenRC, SysV scripts or a process list say last?

"enabled" is not running, "Starting" alone is not yet, and a failed or skipped start is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Said = Literal["runs", "stopped", "failed", "starts"]

_ACTIVE: dict[str, Said] = {
    "active": "runs",
    "reloading": "runs",
    "refreshing": "runs",
    "inactive": "stopped",
    "deactivating": "stopped",
    "unknown": "stopped",
    "failed": "failed",
}
# ● hv-vss-daemon.service - Hyper-V VSS Protocol Daemon   (systemctl status; first sign: its state)
_HEADING = re.compile(
    r"^\s{0,4}(?P<dot>[●○×↻*x]?)\s{0,2}(?P<name>[\w.@:\\-]{1,80})\.service(?: - |$)"
)
#      Active: active (running) since Wed 2017-02-01 07:00:31 UTC; 15s ago
_STATE = re.compile(
    r"^\s{0,12}(?:Active: |ActiveState=)(?P<state>[a-z]{4,12})\b(?: \((?P<sub>[\w-]{1,20}))?"
)
_ID = re.compile(r"^(?:Id|Names)=")
# ○   ├─hv-vss-daemon.service   (systemctl list-dependencies: the sign is all it says)
_TREE = re.compile(r"^\s{0,4}(?P<dot>[●○×])[\s│|]{0,40}[├└|`][─-]")
# hypervvssd.service      loaded active running Hyper-V VSS daemon   (systemctl list-units)
_UNITS = re.compile(
    r"\.service\s{1,80}(?:loaded|not-found|masked|bad-setting|error)\s{1,8}"
    r"(?P<state>active|reloading|inactive|failed|activating|deactivating)(?:\s|$)"
)
_ASKED = re.compile(r"\b(?:systemctl|service|rc-service|initctl|status)\b")
_IS_ACTIVE = re.compile(r"\bsystemctl (?:-\S{1,30} )*is-active\b")
_OPENRC = re.compile(r"^ ?\* status: (started|stopped|crashed)")
_RUNS = re.compile(
    # hv-vss-daemon start/running, process 1035     hypervvssd (pid  1035) is running...
    r"start/running|\(pids? .{1,40}\) is running|is running\.\.\.|is running$"
)
_STOPPED = re.compile(
    r"stop/waiting|\bis stopped\b|dead but .{1,20} (?:file exists|locked)|is not running"
    r"|\bis unused\b|could not be found"
)
_OK, _NOT_OK = (
    re.compile(r"\[\s{0,3}(?:OK|ok|done)\s{0,3}\]"),
    re.compile(r"\[\s{0,3}(?:FAILED|fail|failed)\b|\[fail"),
)
_SKIPPED = re.compile(r"(?:was|being) skipped|start condition failed|Condition check resulted in")
_ENDED = re.compile(
    r"\.service: (?:[Mm]ain process exited|Failed\b|Deactivated successfully|Succeeded\.|Stopped\b"
    r"|Control process exited, code=\w+,? status=[1-9]|Unit entered failed|Start request repeated"
    r"|Start-limit)|entered failed state|\.service failed\.|/start failed with result"
)


_DOTS: dict[str, Said] = {"○": "stopped", "×": "failed"}
_SIGNS: tuple[tuple[re.Pattern[str], Said], ...] = ((_SKIPPED, "stopped"), (_ENDED, "failed"))


@dataclass(slots=True)
class ServiceScan:
    """One pass; ``about`` finds the unit, the daemon or the unit's description in a line.

    ``process`` finds the daemon in a process list (``ps``, a control group, the OOM killer's).
    ``said`` is what was said last; None where the text says nothing of the service.
    """

    about: re.Pattern[str]
    process: re.Pattern[str] | None = None
    said: Said | None = None
    _heading: bool | None = None
    _asked: bool = False

    @property
    def active(self) -> bool | None:
        """Whether it runs; None where nobody says."""
        return None if self.said in (None, "starts") else self.said == "runs"

    def feed(self, line: str) -> Said | None:
        """Take a line; return what it says of the service, None where nothing."""
        said = self._read(line)
        self.said = said or self.said
        return said

    def _read(self, line: str) -> Said | None:
        if self._asked:
            self._asked = False
            if (word := line.strip()) in _ACTIVE:
                return _ACTIVE[word]
        if self._heading is not False and (said := _of_property(line)):
            return said if self._heading else None
        mine = bool(self.about.search(line))
        heading = _HEADING.match(line)
        if heading or _ID.match(line):
            self._heading = mine
        elif mine and _ASKED.search(line):
            self._heading, self._asked = True, bool(_IS_ACTIVE.search(line))
        if not mine:
            return None
        if heading and not (_UNITS.search(line) or _SKIPPED.search(line)):
            return _DOTS.get(heading["dot"])
        return self._of_line(line)

    def _of_line(self, line: str) -> Said | None:
        if tree := _TREE.match(line):
            return "runs" if tree["dot"] == "●" else "stopped"
        if units := _UNITS.search(line):
            return _of_state(units["state"], None)
        for sign, said in _SIGNS:
            if sign.search(line):
                return said
        return self._of_verb(line) or self._of_words(line)

    def _of_words(self, line: str) -> Said | None:
        if _STOPPED.search(line):
            return "stopped"
        lives = _RUNS.search(line) or (self.process and self.process.search(line))
        return "runs" if lives else None

    def _of_verb(self, line: str) -> Said | None:
        """Read ``Started``, ``Finished``, ``Stopped`` and their kin before the service's name."""
        found = self.about.search(line)
        before = line[max(0, found.start() - 40) : found.start()] if found else ""
        if "Failed to st" in before or "Dependency failed for " in before:
            return "failed"
        if _verb(before, "Stopped", "Stopping"):
            return "stopped"
        if _verb(before, "Started", "Finished", "Reloaded"):
            return "runs"
        if _verb(before, "Starting"):
            return "runs" if _OK.search(line) else "failed" if _NOT_OK.search(line) else "starts"
        return None


def _verb(before: str, *verbs: str) -> bool:
    """Whether one of the words stands right before; an article or an escape may be between."""
    return before.rstrip().rstrip(" :").endswith(verbs)


def _of_property(line: str) -> Said | None:
    """Read the state's own line below a heading."""
    if state := _STATE.match(line):
        return _of_state(state["state"], state["sub"])
    if openrc := _OPENRC.match(line):
        return "runs" if openrc[1] == "started" else "stopped"
    return None


def _of_state(state: str, sub: str | None) -> Said | None:
    if state == "activating":
        return "failed" if sub == "auto-restart" else "starts"
    return _ACTIVE.get(state)
