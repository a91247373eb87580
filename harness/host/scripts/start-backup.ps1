# Backs one VM up with Windows Server Backup: policy, target and VM are objects that live in one
# session only, and -Async returns as soon as the backup has begun.
param([Parameter(Mandatory = $true)][string]$VMName, [Parameter(Mandatory = $true)][string]$VolumePath)

$machines = @(Get-WBVirtualMachine | Where-Object -Property VMName -EQ -Value $VMName)
if ($machines.Count -ne 1) { throw 'Windows Server Backup does not list exactly one VM of that name' }
$target = New-WBBackupTarget -VolumePath $VolumePath
$policy = New-WBPolicy
Set-WBVssBackupOption -Policy $policy -VssCopyBackup
Add-WBVirtualMachine -Policy $policy -VirtualMachine $machines | Out-Null
Add-WBBackupTarget -Policy $policy -Target $target | Out-Null
Start-WBBackup -Policy $policy -Force -Async | Out-Null
