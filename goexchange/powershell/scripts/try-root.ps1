# goexchange host script: try-root, version 1
param($Arguments)

function Get-Version([string]$Name) {
    $path = [System.IO.Path]::Combine([Environment]::SystemDirectory, $Name)
    if (-not [System.IO.File]::Exists($path)) { return $null }
    $found = [System.Diagnostics.FileVersionInfo]::GetVersionInfo($path)
    return (@($found.FileMajorPart, $found.FileMinorPart, $found.FileBuildPart, $found.FilePrivatePart) -join '.')
}

function Remove-IfEmpty([string]$Folder) {
    if (-not [System.IO.Directory]::Exists($Folder)) { return }
    if ([System.IO.Directory]::GetFileSystemEntries($Folder).Length -eq 0) { [System.IO.Directory]::Delete($Folder) }
}

$hadRoot = [System.IO.Directory]::Exists([string]$Arguments.root)
Assert-GxFence $Arguments.root $Arguments.fence
$name = Get-GxName $Arguments.name
$folder = New-GxFolder $Arguments.root @('trial', $name)
$path = [System.IO.Path]::Combine($folder, 'trial.json')
Write-GxJson $path @{ name = $name; written_at = (Get-GxNow) }
$isSame = [string](Read-GxJson $path).name -eq $name
[System.IO.File]::Delete($path)
[System.IO.Directory]::Delete($folder)
Remove-IfEmpty ([System.IO.Path]::GetDirectoryName($folder))
# A root that this very trial has made goes again, as long as nothing else lies in it.
if ($Arguments.removes_root) {
    Remove-IfEmpty ([System.IO.Path]::Combine([string]$Arguments.root, 'jobs'))
    Remove-IfEmpty ([string]$Arguments.root)
}
@{
    had_root = $hadRoot
    is_same = $isSame
    wbadmin_version = Get-Version 'wbadmin.exe'
    diskshadow_version = Get-Version 'diskshadow.exe'
}
