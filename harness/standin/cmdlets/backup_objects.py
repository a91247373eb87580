"""Windows Server Backup's objects: the properties that programs were seen to use (objects.json)."""

from __future__ import annotations

from harness.standin.backups import BackedUp, BackupJob, Backups, BackupSet, Policy, Target
from harness.standin.values import Record, Value
from harness.standin.world import Vm

SPACE = "Microsoft.Windows.ServerBackup.Commands."


def _record(name: str, properties: dict[str, Value], live: object = None) -> Record:
    return Record((f"{SPACE}{name}", "System.Object"), properties, f"{SPACE}{name}", live)


def policy(live: Policy) -> Record:
    """Build a WBPolicy."""
    return _record("WBPolicy", {}, live)


def target(live: Target) -> Record:
    """Build a WBBackupTarget."""
    return _record("WBBackupTarget", {}, live)


def machine(name: str, live: Vm | BackedUp) -> Record:
    """Build a WBVirtualMachine: of the host, or of a backup set."""
    return _record("WBVirtualMachine", {"VMName": name}, live)


def job(live: BackupJob) -> Record:
    """Build a WBJob."""
    values: dict[str, Value] = {
        "JobState": live.state,
        "HResult": live.result,
        "StartTime": live.started,
        "EndTime": live.ended,
        "ErrorDescription": live.error,
    }
    return _record("WBJob", values, live)


def backup_set(live: BackupSet) -> Record:
    """Build a WBBackupSet with the VMs in it."""
    held: list[Value] = [machine(copy.name, copy) for copy in live.vms]
    values: dict[str, Value] = {
        "VersionId": live.version,
        "BackupTime": live.at,
        "SnapshotId": live.snapshot,
        "Application": [_record("WBApplication", {"Component": held})],
    }
    return _record("WBBackupSet", values, live)


def summary(known: Backups) -> Record:
    """Build a WBSummary."""
    over = [one for one in known.jobs if one.ended]
    last, latest = (over[-1] if over else None), (known.sets[-1] if known.sets else None)
    running = any(not one.ended for one in known.jobs)
    values: dict[str, Value] = {
        "NextBackupTime": None,
        "NumberOfVersions": len(known.sets),
        "LastSuccessfulBackupTime": latest.at if latest else None,
        "LastSuccessfulBackupTargetPath": latest.volume if latest else "",
        "LastSuccessfulBackupTargetLabel": "",
        "LastBackupTime": last.started if last else None,
        "LastBackupTarget": latest.volume if latest else "",
        "DetailedMessage": last.error if last else "",
        "LastBackupResultHR": last.result if last else 0,
        "LastBackupResultDetailedHR": last.result if last else 0,
        "CurrentOperationStatus": "InProgress" if running else "NoOperationInProgress",
    }
    return _record("WBSummary", values)
