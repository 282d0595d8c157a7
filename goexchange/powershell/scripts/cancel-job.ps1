# goexchange host script: cancel-job, version 2
param($Arguments)

function Stop-Tree([int]$Id) {
    # The parent first: it must not start the next child, and must not write that its child has failed.
    $children = @(Get-CimInstance -ClassName Win32_Process -Filter ('ParentProcessId = ' + $Id))
    Stop-Process -Id $Id -Force -ErrorAction SilentlyContinue
    foreach ($child in $children) { Stop-Tree ([int]$child.ProcessId) }
}

# What a launcher left behind has no parent any more: the runner wrote down whom it follows.
function Stop-Followed([string]$Path) {
    if (-not [System.IO.File]::Exists($Path)) { return }
    foreach ($one in @((Read-GxJson $Path).processes)) {
        if ($null -ne $one -and (Test-GxAlive $one)) { Stop-Tree ([int]$one.pid) }
    }
}

Assert-GxFence $Arguments.root $Arguments.fence
$name = Get-GxName $Arguments.job
$folder = Join-GxPath ([string]$Arguments.root) @('jobs', $name)
$exitPath = [System.IO.Path]::Combine($folder, 'exit.json')
$startedPath = [System.IO.Path]::Combine($folder, 'started.json')
$state = 'absent'
if ([System.IO.File]::Exists([System.IO.Path]::Combine($folder, 'request.json'))) {
    $state = 'ended'
    # Of a job that has ended too: the task of a named account stores its password.
    $tasks = @(Get-ScheduledTask -TaskPath $GxTaskPath -TaskName ('job-' + $name) -ErrorAction SilentlyContinue)
    $tasks | Unregister-ScheduledTask -Confirm:$false
    # Asked again, the answer is the same.
    if ([System.IO.File]::Exists($exitPath)) {
        if ([string](Read-GxJson $exitPath).message -eq 'cancelled') { $state = 'cancelled' }
    }
    if (-not [System.IO.File]::Exists($exitPath)) {
        try {
            # A child that has not begun yet finds the marker taken and leaves.
            $marker = Open-GxFile $startedPath 'CreateNew' 'Write' 'Read'
            $content = $GxUtf8.GetBytes('{"pid":0,"process_started":"","started_at":"' + (Get-GxNow) + '"}')
            $marker.Write($content, 0, $content.Length)
            $marker.Dispose()
        }
        catch {
            $started = Read-GxJson $startedPath
            if ($null -ne $started -and (Test-GxAlive $started)) { Stop-Tree ([int]$started.pid) }
            Stop-Followed ([System.IO.Path]::Combine($folder, 'followed.json'))
        }
    }
    # It may have ended while it was being stopped: its own record stays.
    if (-not [System.IO.File]::Exists($exitPath)) {
        $state = 'cancelled'
        Write-GxJson $exitPath @{ exit_code = 1223; ended_at = (Get-GxNow); result = $null; message = 'cancelled' }
    }
}
@{ state = $state }
