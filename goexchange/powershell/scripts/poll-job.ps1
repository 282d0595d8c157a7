# goexchange host script: poll-job, version 2
param($Arguments)

# Processor time of a process and what it has started. A process that was given an old number has no
# children of its own age; five levels are more than any tool of ours has.
function Get-CpuTime([int]$Id, [int]$Levels) {
    $total = [double]0
    foreach ($process in @(Get-CimInstance -ClassName Win32_Process -Filter ('ProcessId = ' + $Id))) {
        $total = $total + ([double]$process.KernelModeTime + [double]$process.UserModeTime) / 10000000
    }
    if ($Levels -le 0) { return $total }
    foreach ($child in @(Get-CimInstance -ClassName Win32_Process -Filter ('ParentProcessId = ' + $Id))) {
        $total = $total + (Get-CpuTime ([int]$child.ProcessId) ($Levels - 1))
    }
    return $total
}

$outputMax = 1048576
$folder = Join-GxPath ([string]$Arguments.root) @('jobs', (Get-GxName $Arguments.job))
$exitPath = [System.IO.Path]::Combine($folder, 'exit.json')
$startedPath = [System.IO.Path]::Combine($folder, 'started.json')
$outputPath = [System.IO.Path]::Combine($folder, 'output.txt')

$answer = @{
    state = 'absent'
    boot_id = (Get-GxBoot).id
    started_boot_id = $null
    cpu_s = $null
    clock = Get-GxNow
    started_at = $null
    ended_at = $null
    exit_code = $null
    offset = [long]$Arguments.offset
    output = ''
    watched = @()
    result = $null
}
if ([System.IO.File]::Exists([System.IO.Path]::Combine($folder, 'request.json'))) {
    $answer['state'] = 'requested'
    $started = $null
    if ([System.IO.File]::Exists($startedPath)) { $started = Read-GxJson $startedPath }
    if ($null -ne $started) {
        $answer['started_at'] = [string]$started.started_at
        $answer['state'] = 'lost'
        if ($started.boot_id) { $answer['started_boot_id'] = [string]$started.boot_id }
        if (Test-GxAlive $started) {
            $answer['state'] = 'running'
            $answer['cpu_s'] = Get-CpuTime ([int]$started.pid) 5
        }
    }
    # Looked at after the process: one that ends in between has left its exit record.
    if ([System.IO.File]::Exists($exitPath)) {
        $end = Read-GxJson $exitPath
        $answer['state'] = 'ended'
        $answer['ended_at'] = [string]$end.ended_at
        $answer['exit_code'] = [int]$end.exit_code
        $answer['result'] = $end.result
    }
}
# Read after the state: the output of a job that has ended is complete.
if ([System.IO.File]::Exists($outputPath)) {
    $content = Read-GxBytes $outputPath ([long]$Arguments.offset) $outputMax
    $answer['output'] = [Convert]::ToBase64String($content)
    $answer['offset'] = [long]$Arguments.offset + $content.Length
}
$watched = @()
foreach ($path in @($Arguments.watch)) {
    $length = $null
    if ([System.IO.File]::Exists($path)) { $length = [long](New-Object -TypeName System.IO.FileInfo -ArgumentList $path).Length }
    $watched += @{ path = [string]$path; size_bytes = $length }
}
$answer['watched'] = @($watched)
$answer
