# Takes a picture of a VM's screen through the management service: the VM is named by a reference
# to live settings, so it cannot cross the wire. Emits the method's ReturnValue and the picture.
param([Parameter(Mandatory = $true)][string]$Query, [Parameter(Mandatory = $true)][uint16]$Width, [Parameter(Mandatory = $true)][uint16]$Height)

$service = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemManagementService'
$system = Get-CimInstance -Namespace 'root\virtualization\v2' -Query $Query
$answer = Invoke-CimMethod -InputObject $service -MethodName 'GetVirtualSystemThumbnailImage' -Arguments @{ TargetSystem = $system; WidthPixels = $Width; HeightPixels = $Height }
[pscustomobject]@{ ReturnValue = $answer.ReturnValue; ImageData = $answer.ImageData }
