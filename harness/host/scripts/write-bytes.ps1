# Writes a piece of a file at an offset: the file's stream is an object that must stay live, and Set-Content
# would box every byte. Emits nothing.
param(
    [Parameter(Mandatory = $true)][string]$Path,
    [Parameter(Mandatory = $true)][long]$Offset,
    [Parameter(Mandatory = $true)][byte[]]$Data
)

$stream = [System.IO.File]::Open($Path, 'OpenOrCreate', 'Write')
try {
    $null = $stream.Seek($Offset, 'Begin')
    $stream.Write($Data, 0, $Data.Length)
}
finally {
    $stream.Dispose()
}
