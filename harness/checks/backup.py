"""Live backup: was the guest backed up while it ran, frozen, and without losing its place?

Online is told without localised text. The claim is file-system consistency, not application
consistency. Certification cases BAK-01 to BAK-04.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.freeze import FreezeLog
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.host.session import Attempt, RefusedBy
from harness.verdict import Outcome, Verdict, all_of, pass_if

CLAIM = "file-system consistency, not application consistency"
CHECKPOINT_VM = "Microsoft.HyperV.PowerShell.Commands.CheckpointVM"


def parse_uptime(text: str) -> float:
    """Read seconds since boot: ``134.76 34.33``."""
    try:
        return float(text.split()[0])
    except (IndexError, ValueError):
        raise EvidenceError("/proc/uptime", "number", text) from None


UPTIME = Probe(("cat", "/proc/uptime"), parse_uptime)


@dataclass(frozen=True, slots=True)
class Tick:
    """A guest's uptime, and between which of the controller's clock readings it was taken (s)."""

    earliest: float
    latest: float
    uptime: float


@dataclass(frozen=True, slots=True)
class Signs:
    """What was seen around one call. ``states``: the VM's, polled while the call ran.

    ``copy_state``: the State of the checkpoint, or of the restored VM.
    """

    log: Measured[FreezeLog]
    boots: tuple[Measured[str], Measured[str]]
    ticks: tuple[Measured[Tick], Measured[Tick]]
    states: tuple[Measured[str], ...]
    copy_state: Measured[str]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All texts, in the order of asking."""
        polled = tuple(piece for state in self.states for piece in state.evidence)
        before = self.boots[0].evidence + self.ticks[0].evidence
        after = self.boots[1].evidence + self.ticks[1].evidence
        return before + polled + after + self.log.evidence + self.copy_state.evidence


def uptime_lost(before: Tick, after: Tick) -> float:
    """Return by how many seconds at least the guest's clock stood still (negative: ran ahead)."""
    lived = after.uptime - before.uptime
    stood = (after.earliest - before.latest) - lived
    ahead = lived - (after.latest - before.earliest)
    return stood if stood > 0 else -max(ahead, 0.0)


def _interruptions(signs: Signs) -> list[str]:
    """Return what shows that the guest did not simply go on."""
    found = []
    if signs.boots[0].value != signs.boots[1].value:
        found.append("the guest booted anew")
    lost = uptime_lost(signs.ticks[0].value, signs.ticks[1].value)
    if abs(lost) > bounds.BACKUP_CLOCK_JUMP.total_seconds():
        found.append(f"the guest's clock jumped by {lost:.1f} s")
    seen = {state.value for state in signs.states} - {"Running"}
    if seen:
        found.append(f"the VM was seen {', '.join(sorted(seen))}")
    return found


def judge_online(signs: Signs) -> Verdict:
    """Judge that the backup was online: frozen and thawed by the guest, and nothing else."""
    faults = _interruptions(signs)
    if not signs.log.value.complete:
        steps = ", ".join(step.value for step in signs.log.value.steps) or "nothing"
        faults.insert(0, f"the guest's freeze service logged {steps}, not a freeze and a thaw")
    if signs.copy_state.value != "Off":
        faults.append(f"the copy's State is {signs.copy_state.value}, not Off")
    told = "frozen and thawed by the guest, same boot, no jump of its clock, the copy is Off"
    return pass_if(not faults, "; ".join(faults) or told, signs.evidence)


def judge_not_called_online(signs: Signs) -> Verdict:
    """Judge a backup whose guest cannot freeze: it must not look like one that was online.

    A host that backs up by saving the VM is right, if the copy says so and comes back Saved:
    whoever restores it sees no more than that, whatever state the VM was seen in meanwhile.
    """
    if signs.log.value.complete:
        said = "freeze in spite of a stopped freeze service"
        raise EvidenceError("freeze service", f"explanation of a {said}", str(signs.log.value))
    copy = signs.copy_state.value
    if copy == "Saved":
        told = "the host saved the VM instead (an offline backup)"
        return Verdict(Outcome.PASS, told, signs.evidence)
    seen = {state.value for state in signs.states} & {"Saved", "Saving"}
    why = f"the VM was seen {', '.join(sorted(seen))}" if seen else "nobody froze the guest"
    looks = " as after an online backup" if copy == "Off" else ""
    return Verdict(Outcome.FAIL, f"the copy comes back {copy}{looks}, though {why}", signs.evidence)


def judge_refused_checkpoint(attempt: Attempt, snapshots: Measured[tuple[str, ...]]) -> Verdict:
    """Judge that a production checkpoint failed by Checkpoint-VM's own error and left nothing."""
    evidence = attempt.evidence + snapshots.evidence
    if attempt.refusal is None:
        said = "a production checkpoint was made though nobody froze the guest"
        return Verdict(Outcome.FAIL, said, evidence)
    if attempt.refusal.by is not RefusedBy.CMDLET:
        raise EvidenceError("Checkpoint-VM", "refusal of its own", attempt.refusal.code)
    left = snapshots.value
    said = f"refused ({attempt.refusal.code})"
    said += f", but it left {', '.join(left)}" if left else ", and no checkpoint is left"
    return pass_if(not left, said, evidence)


def judge_backup(told: str, *parts: Verdict) -> Verdict:
    """Join the verdicts of one backup and state what they claim."""
    return all_of(f"{told}; {CLAIM}", *parts)
