# Changes one setting of a VM through the management service: an object that must stay live, so
# it cannot cross the wire. Emits the method's ReturnValue and the InstanceID of the job, if one was started.
param([Parameter(Mandatory = $true)][string]$SettingData)

$service = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemManagementService'
$answer = Invoke-CimMethod -InputObject $service -MethodName 'ModifySystemSettings' -Arguments @{ SystemSettings = $SettingData }
$job = $null
if ($answer.ReturnValue -eq 4096) { $job = $answer.Job.InstanceID }
[pscustomobject]@{ ReturnValue = $answer.ReturnValue; Job = $job }
