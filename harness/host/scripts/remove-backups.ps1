# Removes the backups on a volume that hold one VM: backup sets are objects that live in one session
# only. Emits the VersionId of each that it removed.
param([Parameter(Mandatory = $true)][string]$VMName, [Parameter(Mandatory = $true)][string]$VolumePath)

$target = New-WBBackupTarget -VolumePath $VolumePath
foreach ($set in @(Get-WBBackupSet -BackupTarget $target)) {
    $held = @($set.Application | Select-Object -ExpandProperty Component | Where-Object -Property VMName -EQ -Value $VMName)
    if ($held.Count -gt 0) {
        Remove-WBBackupSet -BackupSet $set -Force | Out-Null
        $set.VersionId
    }
}
