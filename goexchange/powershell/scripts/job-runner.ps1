# goexchange host script: job-runner, version 1
# The child that the scheduled task runs; the library stands before this text in the same file.

$blockBytes = 4194304

function New-Reader([string]$Path, $Options) {
    $mode = [System.IO.FileMode]::Open
    $access = [System.IO.FileAccess]::Read
    $form = @($Path, $mode, $access, [System.IO.FileShare]::Read, 4096, $Options)
    return New-Object -TypeName System.IO.FileStream -ArgumentList $form
}

function New-Writer([string]$Path) {
    $stream = Open-GxFile $Path 'Create' 'Write' 'ReadWrite, Delete'
    $writer = New-Object -TypeName System.IO.StreamWriter -ArgumentList @($stream, $GxUtf8)
    $writer.AutoFlush = $true
    return $writer
}

# Reads a file once: digest of what was read, written to a second stream when there is one.
function Read-Whole($Source, $Destination) {
    $hasher = [System.Security.Cryptography.SHA256]::Create()
    $buffer = New-Object -TypeName byte[] -ArgumentList $blockBytes
    $total = [long]0
    while ($true) {
        $read = $Source.Read($buffer, 0, $buffer.Length)
        if ($read -le 0) { break }
        [void]$hasher.TransformBlock($buffer, 0, $read, $null, 0)
        if ($null -ne $Destination) { $Destination.Write($buffer, 0, $read) }
        $total = $total + $read
    }
    [void]$hasher.TransformFinalBlock($buffer, 0, 0)
    return @{ size_bytes = $total; sha256 = (ConvertTo-GxHex $hasher.Hash) }
}

function Copy-One([string]$From, [string]$To) {
    if ([System.IO.File]::Exists($To)) { Stop-Gx 'path-exists' ('already there: ' + $To) }
    [void][System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($To))
    $partial = $To + '.partial'
    $source = New-Reader $From ([System.IO.FileOptions]::SequentialScan)
    try {
        $destination = Open-GxWriteThrough $partial
        try {
            $destination.SetLength($source.Length)
            $read = Read-Whole $source $destination
            $destination.Flush($true)
        }
        finally {
            $destination.Dispose()
        }
    }
    finally {
        $source.Dispose()
    }
    [System.IO.File]::SetLastWriteTimeUtc($partial, [System.IO.File]::GetLastWriteTimeUtc($From))
    [System.IO.File]::Move($partial, $To)
    return @{ path = $To; size_bytes = $read['size_bytes']; sha256 = $read['sha256'] }
}

function Get-Hash([string]$Path) {
    # Opening a file unbuffered drops what the cache holds of it: the digest is of what the disk has.
    $unbuffered = [Enum]::ToObject([System.IO.FileOptions], 536870912)
    (New-Reader $Path $unbuffered).Dispose()
    $source = New-Reader $Path ([System.IO.FileOptions]::SequentialScan)
    try {
        $read = Read-Whole $source $null
        return @{ path = $Path; size_bytes = $read['size_bytes']; sha256 = $read['sha256'] }
    }
    finally {
        $source.Dispose()
    }
}

function Invoke-Tool([string]$Tool, [string[]]$Arguments) {
    $exitCode = Invoke-GxTool $Tool $Arguments $output $errorOutput
    $errorOutput.Flush()
    $said = [Convert]::ToBase64String((Read-GxBytes $errorPath 0 1048576))
    return @{ exit_code = $exitCode; result = @{ error_output = $said } }
}

function Invoke-Eseutil($Request) {
    # Looked at again right before: eseutil deletes without a word whatever lies at its temporary path.
    foreach ($path in @($Request.must_not_exist)) {
        if ($path -and (Test-Path -LiteralPath $path)) { Stop-Gx 'path-exists' ('already there: ' + $path) }
    }
    [void][System.IO.Directory]::CreateDirectory([string]$Request.folder)
    Set-Location -LiteralPath ([string]$Request.folder)
    return Invoke-Tool ([string]$Request.eseutil) ([string[]]@($Request.arguments))
}

function Invoke-CopyFiles($Request) {
    $files = @()
    foreach ($pair in @($Request.files)) {
        $files += Copy-One ([string]$pair.source) ([string]$pair.destination)
        $output.WriteLine('copied ' + $pair.source)
    }
    return @{ exit_code = 0; result = @{ files = @($files) } }
}

function Invoke-HashFiles($Request) {
    $files = @()
    foreach ($path in @($Request.files)) {
        $files += Get-Hash ([string]$path)
        $output.WriteLine('read ' + $path)
    }
    return @{ exit_code = 0; result = @{ files = @($files) } }
}

function Invoke-Backup($Request) {
    $wbadmin = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'wbadmin.exe')
    $target = '-backupTarget:' + [string]$Request.target
    $volumes = '-include:' + (@($Request.volumes) -join ',')
    return Invoke-Tool $wbadmin @('start', 'backup', $target, $volumes, '-vssFull', '-quiet')
}

function Export-Configuration($Request) {
    $folder = [string]$Request.folder
    [void][System.IO.Directory]::CreateDirectory($folder)
    $files = @()
    $missing = @()
    $exitCode = 0
    $number = 0
    $reg = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'reg.exe')
    foreach ($key in @($Request.registry_keys)) {
        $number = $number + 1
        $path = [System.IO.Path]::Combine($folder, 'registry-' + $number + '.reg')
        $code = Invoke-GxTool $reg @('export', [string]$key, $path, '/y') $output $errorOutput
        if ($code -eq 0) { $files += Get-Hash $path }
        else { $missing += [string]$key }
    }
    foreach ($path in @($Request.paths)) {
        $below = @(Get-ChildItem -LiteralPath $path -Recurse -Force -ErrorAction SilentlyContinue)
        $found = @($below | Where-Object -FilterScript { -not $_.PSIsContainer })
        if ($found.Count -eq 0) { $missing += [string]$path }
        foreach ($file in $found) {
            $place = 'files\' + $file.FullName.Replace(':', '').TrimStart('\')
            $files += Copy-One $file.FullName ([System.IO.Path]::Combine($folder, $place))
        }
    }
    if ($Request.system_state) {
        $wbadmin = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'wbadmin.exe')
        $target = '-backupTarget:' + [System.IO.Path]::GetPathRoot($folder).TrimEnd('\')
        $exitCode = Invoke-GxTool $wbadmin @('start', 'systemstatebackup', $target, '-quiet') $output $errorOutput
    }
    return @{ exit_code = $exitCode; result = @{ files = @($files); missing = @($missing) } }
}

function Invoke-Request($Job) {
    $request = $Job.request
    switch ([string]$Job.kind) {
        'eseutil' { return Invoke-Eseutil $request }
        'copy-files' { return Invoke-CopyFiles $request }
        'hash-files' { return Invoke-HashFiles $request }
        'wbadmin' { return Invoke-Backup $request }
        'export-configuration' { return Export-Configuration $request }
        'command' {
            $words = [string[]]@($request.command)
            $rest = @($words | Select-Object -Skip 1)
            return Invoke-Tool $words[0] $rest
        }
    }
    throw ('unknown kind of job: ' + $Job.kind)
}

$folder = Split-Path -Parent $MyInvocation.MyCommand.Path
$startedPath = [System.IO.Path]::Combine($folder, 'started.json')
$errorPath = [System.IO.Path]::Combine($folder, 'error.txt')
$boot = Get-GxBoot
$self = [System.Diagnostics.Process]::GetCurrentProcess()
$begin = @{
    pid = $PID
    process_started = ConvertTo-GxTime $self.StartTime
    boot_id = $boot['id']
    started_at = Get-GxNow
}
# Whoever makes this file does the work; a second child finds it and leaves.
try {
    $marker = Open-GxFile $startedPath 'CreateNew' 'Write' 'Read'
}
catch {
    if (-not [System.IO.File]::Exists($startedPath)) { throw }
    exit 0
}
$content = $GxUtf8.GetBytes((ConvertTo-Json -InputObject $begin))
$marker.Write($content, 0, $content.Length)
$marker.Flush($true)
$marker.Dispose()

$output = New-Writer ([System.IO.Path]::Combine($folder, 'output.txt'))
$errorOutput = New-Writer $errorPath
try {
    $job = Read-GxJson ([System.IO.Path]::Combine($folder, 'request.json'))
    $end = Invoke-Request $job
}
catch {
    $output.WriteLine('goexchange: ' + $_.Exception.Message)
    $errorOutput.WriteLine([string]$_.Exception.Message)
    $end = @{ exit_code = -1; result = $null }
}
$output.Dispose()
$errorOutput.Dispose()
# The last write: once it is there, output and result are complete.
$record = @{ exit_code = $end['exit_code']; ended_at = (Get-GxNow); result = $end['result'] }
Write-GxJson ([System.IO.Path]::Combine($folder, 'exit.json')) $record
