# Restores one VM of one backup to another place: the set and the VM in it are objects that live in
# one session only. Returns as soon as the recovery has begun.
param(
    [Parameter(Mandatory = $true)][string]$VMName,
    [Parameter(Mandatory = $true)][string]$VolumePath,
    [Parameter(Mandatory = $true)][string]$VersionId,
    [Parameter(Mandatory = $true)][string]$TargetPath
)

$target = New-WBBackupTarget -VolumePath $VolumePath
$set = Get-WBBackupSet -BackupTarget $target | Where-Object -Property VersionId -EQ -Value $VersionId
if ($null -eq $set) { throw 'the backup is not on its target any more' }
$machine = $set.Application | Select-Object -ExpandProperty Component | Where-Object -Property VMName -EQ -Value $VMName
if ($null -eq $machine) { throw 'the backup does not hold the VM' }
Start-WBHyperVRecovery -BackupSet $set -VMInBackup $machine -UseAlternateLocation -TargetPath $TargetPath -RecreatePath -Force -Async | Out-Null
