# goexchange host script: read-runs, version 1
param($Arguments)

$root = [string]$Arguments.root
$everywhere = [System.IO.SearchOption]::AllDirectories
$answer = @{
    clock = Get-GxNow
    boot_id = (Get-GxBoot).id
    fence = 0
    fence_holder = $null
    recoveries = @()
    runs = @()
    sentinels = @()
    jobs = @()
    looked_at = @()
    listed = @()
    failures = @()
}

# A part that fails is named in `failures`: the controller takes it as unknown, whatever it holds.
function Read-List([string]$Part, [scriptblock]$Read) {
    try {
        $answer[$Part] = @(& $Read)
    }
    catch {
        $answer['failures'] += @{ part = $Part; message = [string]$_.Exception.Message }
    }
}

function Get-Folder([string]$Name) {
    $folder = [System.IO.Path]::Combine($root, $Name)
    if (-not [System.IO.Directory]::Exists($folder)) { return }
    foreach ($path in [System.IO.Directory]::GetDirectories($folder)) { $path }
}

# ConvertFrom-Json of newer versions makes moments of times: they go on as text.
function Get-Moment($Value) {
    if ($null -eq $Value -or [string]$Value -eq '') { return $null }
    if ($Value -is [DateTime]) { return ConvertTo-GxTime $Value }
    return [string]$Value
}

function Get-Total($Files) {
    $total = [long]0
    foreach ($file in $Files) { $total = $total + [long]$file.Length }
    return $total
}

function Get-State([string]$Folder) {
    if ([System.IO.File]::Exists([System.IO.Path]::Combine($Folder, 'exit.json'))) { return 'ended' }
    $path = [System.IO.Path]::Combine($Folder, 'started.json')
    if (-not [System.IO.File]::Exists($path)) { return 'requested' }
    $started = Read-GxJson $path
    if ($null -ne $started -and (Test-GxAlive $started)) { return 'running' }
    return 'lost'
}

if ([System.IO.Directory]::Exists($root)) {
    $weakness = Get-GxWeakness $root
    if ($weakness) { Stop-Gx 'root-not-private' ('the folder ' + $root + ' is not private: ' + $weakness) }
}

$fencePath = [System.IO.Path]::Combine($root, 'fence.json')
if ([System.IO.File]::Exists($fencePath)) {
    $fence = Read-GxJson $fencePath
    $answer['fence'] = [long]$fence.fence
    $answer['fence_holder'] = [string]$fence.holder
}

Read-List 'recoveries' {
    $folder = [System.IO.Path]::Combine($root, 'recovery')
    if ([System.IO.Directory]::Exists($folder)) {
        foreach ($path in [System.IO.Directory]::GetFiles($folder, 'record.json', $everywhere)) { Read-GxJson $path }
    }
}

Read-List 'runs' {
    foreach ($folder in @(Get-Folder 'runs')) {
        $holder = $null
        $alive = $null
        $name = [System.IO.Path]::GetFileName($folder)
        $path = [System.IO.Path]::Combine($folder, 'alive.json')
        if ([System.IO.File]::Exists($path)) {
            $sign = Read-GxJson $path
            $name = [string]$sign.run
            $holder = [string]$sign.holder
            $alive = Get-Moment $sign.alive_at
        }
        $files = @()
        foreach ($file in @(Get-ChildItem -LiteralPath $folder -Force)) {
            if (-not $file.PSIsContainer) { $files += @{ name = [string]$file.Name; size_bytes = [long]$file.Length } }
        }
        @{ run = $name; holder = $holder; alive_at = $alive; files = @($files) }
    }
}

Read-List 'sentinels' {
    $folder = [System.IO.Path]::Combine($root, 'sentinels')
    if ([System.IO.Directory]::Exists($folder)) {
        foreach ($path in [System.IO.Directory]::GetFiles($folder, '*.json')) {
            $state = Read-GxJson $path
            $guid = [System.IO.Path]::GetFileNameWithoutExtension($path)
            $tasks = @(Get-ScheduledTask -TaskPath $GxTaskPath -TaskName ('sentinel-' + $guid) -ErrorAction SilentlyContinue)
            @{
                database_guid = [string]$guid
                run = [string]$state.run
                fed_at = (Get-Moment $state.fed_at)
                is_task_present = ($tasks.Count -gt 0)
            }
        }
    }
}

Read-List 'jobs' {
    foreach ($folder in @(Get-Folder 'jobs')) {
        $path = [System.IO.Path]::Combine($folder, 'request.json')
        $request = $null
        if ([System.IO.File]::Exists($path)) { $request = Read-GxJson $path }
        $name = [System.IO.Path]::GetFileName($folder)
        $kind = ''
        if ($null -ne $request) {
            $name = [string]$request.job
            $kind = [string]$request.kind
        }
        $files = @(Get-ChildItem -LiteralPath $folder -Force | Where-Object -FilterScript { -not $_.PSIsContainer })
        @{
            job = $name
            kind = $kind
            state = (Get-State $folder)
            begun_at = (ConvertTo-GxTime ([System.IO.Directory]::GetCreationTimeUtc($folder)))
            size_bytes = (Get-Total $files)
        }
    }
}

Read-List 'looked_at' {
    foreach ($path in @($Arguments.paths)) {
        if (-not [System.IO.File]::Exists($path)) { continue }
        $file = New-Object -TypeName System.IO.FileInfo -ArgumentList $path
        $found = @{
            path = [string]$path
            size_bytes = [long]$file.Length
            modified_at = (ConvertTo-GxTime $file.LastWriteTimeUtc)
            is_open = $false
            header_sha256 = $null
            start = $null
        }
        # A file that somebody has open is mounted, or worked on: nothing is said of its header.
        try { Assert-GxClosed $path }
        catch { $found['is_open'] = $true }
        if (-not $found['is_open']) {
            $found['header_sha256'] = Get-GxHeaderDigest $path
            $found['start'] = [Convert]::ToBase64String((Read-GxBytes $path 0 1024))
        }
        $found
    }
}

Read-List 'listed' {
    foreach ($folder in @($Arguments.folders)) {
        if (-not [System.IO.Directory]::Exists($folder)) { continue }
        foreach ($entry in @(Get-ChildItem -LiteralPath $folder -Force)) {
            $isLink = [bool]($entry.Attributes -band [System.IO.FileAttributes]::ReparsePoint)
            $size = [long]0
            $count = 0
            if (-not $entry.PSIsContainer) { $size = [long]$entry.Length }
            # Only the tool's own folders are looked into.
            if ($entry.PSIsContainer -and -not $isLink -and $entry.Name.StartsWith('gx-', [StringComparison]::OrdinalIgnoreCase)) {
                $inside = @(Get-ChildItem -LiteralPath $entry.FullName -Recurse -Force | Where-Object -FilterScript { -not $_.PSIsContainer })
                $size = Get-Total $inside
                $count = $inside.Count
            }
            @{
                path = [string]$entry.FullName
                is_folder = [bool]$entry.PSIsContainer
                size_bytes = $size
                modified_at = (ConvertTo-GxTime $entry.LastWriteTimeUtc)
                is_link = $isLink
                files = $count
            }
        }
    }
}

$answer
