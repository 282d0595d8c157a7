# goexchange host script: scratch-folder, version 1
param($Arguments)

$MarkName = 'goexchange-pilot.json'

function Assert-Plain([string]$Folder) {
    if ([System.IO.File]::GetAttributes($Folder) -band [System.IO.FileAttributes]::ReparsePoint) {
        Stop-Gx 'outside-folder' ($Folder + ' is a link')
    }
}

Assert-GxFence $Arguments.root $Arguments.fence
$folder = [System.IO.Path]::GetFullPath([string]$Arguments.folder)
$name = [string]$Arguments.name
if ([System.IO.Path]::GetFileName($folder) -notmatch '^gx-pilot-[0-9]{8}T[0-9]{6}Z$') {
    Stop-Gx 'outside-folder' ($folder + ' is no folder of a pilot')
}
$mark = [System.IO.Path]::Combine($folder, $MarkName)
$isThere = [System.IO.Directory]::Exists($folder)
$isOurs = $false
if ([System.IO.File]::Exists($mark)) { $isOurs = [string](Read-GxJson $mark).name -eq $name }
if ($isThere -and -not $isOurs) {
    Stop-Gx 'path-exists' ($folder + ' is there already, and is not the folder of this pilot')
}

# The mark goes last: a removal that was cut short can be gone on with.
$removeTree = {
    param([string]$Folder, [string]$Kept)
    Assert-Plain $Folder
    foreach ($below in [System.IO.Directory]::GetDirectories($Folder)) { & $removeTree $below '' }
    foreach ($path in [System.IO.Directory]::GetFiles($Folder)) {
        if ($path -ne $Kept) { [System.IO.File]::Delete($path) }
    }
    if ($Kept -ne '') { [System.IO.File]::Delete($Kept) }
    [System.IO.Directory]::Delete($Folder)
}

if ([string]$Arguments.state -eq 'made') {
    if (-not $isThere) {
        [void][System.IO.Directory]::CreateDirectory($folder)
        Write-GxJson $mark @{ name = $name; made_at = (Get-GxNow) }
    }
} else {
    if ($isThere) { & $removeTree $folder $mark }
    if ($null -ne $Arguments.database_guid) {
        $guid = Assert-GxGuid $Arguments.database_guid
        [System.IO.File]::Delete((Join-GxPath ([string]$Arguments.root) @('databases', ($guid + '.json'))))
    }
}
@{ had_folder = $isThere }
