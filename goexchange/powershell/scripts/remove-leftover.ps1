# goexchange host script: remove-leftover, version 1
param($Arguments)

function Assert-Same([string]$Path) {
    $file = New-Object -TypeName System.IO.FileInfo -ArgumentList $Path
    $culture = [System.Globalization.CultureInfo]::InvariantCulture
    $wanted = [DateTime]::Parse([string]$Arguments.modified_at, $culture).ToUniversalTime()
    $apart = [Math]::Abs(($file.LastWriteTimeUtc - $wanted).TotalSeconds)
    if ([long]$file.Length -ne [long]$Arguments.size_bytes -or $apart -gt 1) {
        Stop-Gx 'file-differs' ($Path + ' is not the file that was looked at')
    }
}

Assert-GxFence $Arguments.root $Arguments.fence

# Only files, one folder deep, and only what is no link: nothing elsewhere can be meant.
$removePlain = {
    param([string]$Folder)
    if ([System.IO.File]::GetAttributes($Folder) -band [System.IO.FileAttributes]::ReparsePoint) {
        Stop-Gx 'outside-folder' ($Folder + ' is a link')
    }
    foreach ($path in [System.IO.Directory]::GetFiles($Folder)) { [System.IO.File]::Delete($path) }
    [System.IO.Directory]::Delete($Folder)
}

$root = [string]$Arguments.root
$what = [string]$Arguments.what
$isRemoved = $false
switch ([string]$Arguments.kind) {
    'file' {
        $path = [System.IO.Path]::GetFullPath($what)
        if ([System.IO.Path]::GetFileName($path) -notmatch '\.edb\.(before|rebuilt)-[0-9]{8}T[0-9]{6}Z$') {
            Stop-Gx 'outside-folder' ($path + ' is no file that the tool has put aside')
        }
        if ([System.IO.File]::Exists($path)) {
            Assert-Same $path
            Assert-GxClosed $path
            [System.IO.File]::Delete((Get-GxFlushMap $path))
            [System.IO.File]::Delete((Get-GxStreaming $path))
            [System.IO.File]::Delete($path)
            $isRemoved = $true
        }
    }
    'work-folder' {
        $path = [System.IO.Path]::GetFullPath($what)
        if ([System.IO.Path]::GetFileName($path) -notmatch '^gx-[0-9A-Fa-f]{8}$') {
            Stop-Gx 'outside-folder' ($path + ' is no folder of the tool')
        }
        if ([System.IO.Directory]::Exists($path)) {
            & $removePlain $path
            $isRemoved = $true
        }
    }
    'job' {
        $name = Get-GxName $what
        $path = Join-GxPath $root @('jobs', $name)
        if ([System.IO.Directory]::Exists($path)) {
            $startedPath = [System.IO.Path]::Combine($path, 'started.json')
            if ([System.IO.File]::Exists($startedPath)) {
                $started = Read-GxJson $startedPath
                if ($null -ne $started -and (Test-GxAlive $started)) { Stop-Gx 'file-in-use' ('the job is running: ' + $what) }
            }
            $tasks = @(Get-ScheduledTask -TaskPath $GxTaskPath -TaskName ('job-' + $name) -ErrorAction SilentlyContinue)
            $tasks | Unregister-ScheduledTask -Confirm:$false
            & $removePlain $path
            $isRemoved = $true
        }
    }
    'recovery-record' {
        $parts = $what.Split('\')
        $guid = Assert-GxGuid $parts[0]
        $path = Join-GxPath $root @('recovery', $guid, (Get-GxName $parts[1]))
        if ([System.IO.Directory]::Exists($path)) {
            $record = Read-GxJson ([System.IO.Path]::Combine($path, 'record.json'))
            if ([string]$record.state -ne 'closed') { Stop-Gx 'file-in-use' ('the record is open: ' + $what) }
            & $removePlain $path
            $isRemoved = $true
        }
    }
    'kept-run' {
        $path = Join-GxPath $root @('runs', (Get-GxName $what))
        if ([System.IO.Directory]::Exists($path)) {
            & $removePlain $path
            $isRemoved = $true
        }
    }
    default { throw ('unknown kind of leftover: ' + $Arguments.kind) }
}
@{ is_removed = $isRemoved }
