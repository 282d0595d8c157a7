# goexchange host script: delete-temporary, version 1
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$within = [System.IO.Path]::GetFullPath([string]$Arguments.within).TrimEnd('\')
$path = [System.IO.Path]::GetFullPath([string]$Arguments.path)
$parent = [System.IO.Path]::GetDirectoryName($path)
$isOurs = [System.IO.Path]::GetFileName($within).StartsWith('gx-', [StringComparison]::OrdinalIgnoreCase)
# Only a file directly in a folder that the tool made for itself, and no folder that leads elsewhere.
if (-not $isOurs -or -not $parent.Equals($within, [StringComparison]::OrdinalIgnoreCase)) {
    Stop-Gx 'outside-folder' ($path + ' is not in a folder of the tool')
}
$wasPresent = [System.IO.File]::Exists($path)
if ([System.IO.Directory]::Exists($within)) {
    $attributes = [System.IO.File]::GetAttributes($within)
    if ($attributes -band [System.IO.FileAttributes]::ReparsePoint) { Stop-Gx 'outside-folder' ($within + ' is a link') }
    [System.IO.File]::Delete((Get-GxFlushMap $path))
    [System.IO.File]::Delete((Get-GxStreaming $path))
    [System.IO.File]::Delete($path)
    if (@([System.IO.Directory]::GetFileSystemEntries($within)).Count -eq 0) { [System.IO.Directory]::Delete($within) }
}
@{ was_present = $wasPresent }
